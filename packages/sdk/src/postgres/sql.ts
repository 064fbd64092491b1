/** The database as the rest of the SDK sees it: statements, transactions, and sessions that hold locks. */
import type { AdvisoryLocks } from './advisory-locks.ts'
import type { Queryable } from './queryable.ts'
import type { Tx } from './tx.ts'

export interface TransactionOptions {
  /** Rolls back when aborted before the commit was sent; what the work does with the transaction after that is refused. */
  readonly signal?: AbortSignal
}

/** A PostgreSQL database. */
export interface Sql extends Queryable {
  /**
   * Runs `work` in a transaction and commits when it resolves; rolls back when it throws or the signal is aborted.
   * When it resolves, the commit was acknowledged. The transaction is begun by the first statement.
   *
   * @throws DatabaseUnavailableError when the database is away, or falls silent. When that was during the commit, whether it
   * took place is not known: do such work again only where a second time is recognised, as the inbox does.
   */
  transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T>
  /** Runs `work` with a connection of its own, and with it everything that belongs to a connection, such as locks. */
  session<T>(work: (session: Session) => Promise<T>, options?: SessionOptions): Promise<T>
  /**
   * Waits for what is under way and closes the connections. Twice is once.
   *
   * @param deadlineMs then what still runs is given up, with its connection. @default 10000
   * @throws CloseDeadlineError when something was.
   */
  close(deadlineMs?: number): Promise<void>
}

export interface SessionOptions {
  /**
   * The server ends the session, and frees its locks, when it has been idle this long: a process that is frozen or cut
   * off loses them. And a server that owes an answer this long is given up: the session counts as lost. Milliseconds. Needs PostgreSQL 14. No limit by default.
   */
  readonly leaseMs?: number
  /** Gives the session up at once, whatever runs in it: its connection is dropped. */
  readonly signal?: AbortSignal
}

/** One connection, held for as long as the work of {@link Sql.session} runs. */
export interface Session extends Queryable {
  readonly locks: AdvisoryLocks
  /** Aborted when the connection is gone, and its locks with it. */
  readonly lost: AbortSignal
  /** Whether everyone else works on this very connection, as on PGlite: then it must not be polled often. */
  readonly shared: boolean
  transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T>
}
