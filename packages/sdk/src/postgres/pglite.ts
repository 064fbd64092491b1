/** PostgreSQL inside this process, for embedded runs and tests. The door `@evtkit/sdk/postgres/pglite`. */
import type { PGliteInterface } from '@electric-sql/pglite'
import { CloseDeadlineError, ClosedError } from '../core/errors.ts'
import { runTransaction } from './open-transaction.ts'
import { PgliteLocks } from './pglite-locks.ts'
import { PgliteTransactionDriver, runAlone } from './pglite-transaction.ts'
import type { QueryResult } from './queryable.ts'
import type { Session, Sql, TransactionOptions } from './sql.ts'
import type { Tx } from './tx.ts'

export {
  checkMigrated,
  defineMigrations,
  type MigrationStatus,
  type MigrationStep,
  type Migrations,
  migrate,
  migrationStatus,
} from './migrations.ts'

export interface PgliteSqlOptions {
  /** Schema that unqualified names belong to, created when missing; one per service. @default the database's own search path */
  readonly schema?: string
}

/**
 * A PGlite database as {@link Sql}. It has one connection: transactions come one after another, and a statement on the
 * `Sql` itself waits for the transaction under way, so inside a transaction use only its `tx`.
 * The database stays yours: `close` leaves it open.
 *
 * @example
 * const sql = createPglite(await PGlite.create(), { schema: 'inventory' })
 */
export function createPglite(database: PGliteInterface, { schema }: PgliteSqlOptions = {}): Sql {
  return new PgliteSql(database, schema)
}

class PgliteSql implements Sql {
  readonly #database: PGliteInterface
  readonly #setUp: string | undefined
  readonly #createSchema: string | undefined
  #ready: Promise<unknown> | undefined
  #closed = false
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(database: PGliteInterface, schema: string | undefined) {
    this.#database = database
    if (schema === undefined) return
    const quoted = `"${schema.replaceAll('"', '""')}"`
    this.#createSchema = `create schema if not exists ${quoted}`
    this.#setUp = `set local search_path to ${quoted}`
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    if (this.#setUp !== undefined) return this.transaction((tx) => tx.query(text, values))
    this.#mustBeOpen()
    return this.#watch(runAlone(this.#database, { text, values }))
  }

  async transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T> {
    this.#mustBeOpen()
    return this.#watch(this.#transaction(work, options))
  }

  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#mustBeOpen()
    const locks = new PgliteLocks(this.#database)
    try {
      return await work({
        query: (text, values) => this.query(text, values),
        transaction: (inner, options) => this.transaction(inner, options),
        locks,
        // The connection is in this process; it is lost only with everything else.
        lost: new AbortController().signal,
        shared: true,
      })
    } finally {
      locks.end()
    }
  }

  async close(deadlineMs = 10_000): Promise<void> {
    this.#closed = true
    if (this.#underWay.size === 0) return
    const done = Promise.allSettled([...this.#underWay])
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs)
    })
    await Promise.race([done, overdue])
    clearTimeout(timer)
    if (this.#underWay.size > 0)
      throw new CloseDeadlineError(
        `${this.#underWay.size} statement(s) or transaction(s) still ran after ${deadlineMs} ms`,
      )
  }

  async #transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T> {
    if (this.#createSchema !== undefined) {
      this.#ready ??= this.#database.exec(this.#createSchema)
      try {
        await this.#ready
      } catch (error) {
        // The next one tries again.
        this.#ready = undefined
        throw error
      }
    }
    return runTransaction(new PgliteTransactionDriver(this.#database, this.#setUp), work, options)
  }

  async #watch<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new ClosedError('this PGlite connection is closed')
  }
}
