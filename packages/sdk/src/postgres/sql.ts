/** The database as the rest of the SDK sees it: statements, transactions, and sessions that hold locks. */
import type { AdvisoryLocks } from './advisory-locks.ts'
import type { Tx } from './tx.ts'

/** One row: column name to value. `bigint` and `numeric` come as text, `bytea` as a Buffer, on every database. */
export type Row = Record<string, unknown>

export interface QueryResult {
  readonly rows: readonly Row[]
  /** Rows returned or changed; `null` for statements that do neither. */
  readonly rowCount: number | null
}

/** Whatever runs statements: the database itself, a session, or an open transaction. */
export interface Queryable {
  /**
   * Runs one statement. A text with values is planned once per connection and then only executed, so keep what changes in
   * the values. A text without values may hold several statements; the last one's result is returned.
   *
   * @throws DatabaseUnavailableError when the database cannot be reached or cannot serve. Anything else the database
   * says passes as it is, with its SQLSTATE in `code`.
   */
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>
}

export interface TransactionOptions {
  /** Rolls back when aborted before the commit was sent; what the work does with the transaction after that is refused. */
  readonly signal?: AbortSignal
}

/** A PostgreSQL database. */
export interface Sql extends Queryable {
  /**
   * Runs `work` in a transaction and commits when it resolves; rolls back when it throws or the signal is aborted.
   * When it resolves, the commit was acknowledged. The transaction is begun by the first statement.
   */
  transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T>
  /** Runs `work` with a connection of its own, and with it everything that belongs to a connection, such as locks. */
  session<T>(work: (session: Session) => Promise<T>, options?: SessionOptions): Promise<T>
  /** Waits for what is under way and closes the connections. Twice is once. */
  close(): Promise<void>
}

export interface SessionOptions {
  /**
   * The server ends the session, and frees its locks, when it has been idle this long: a process that is frozen or cut
   * off loses them. And a server that owes an answer this long is given up: the session counts as lost. Milliseconds. Needs PostgreSQL 14. No limit by default.
   */
  readonly leaseMs?: number
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
