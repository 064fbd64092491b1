import { Client, type ClientConfig, Pool, type PoolConfig } from 'pg'
import { ClosedError, InvalidConfigurationError } from '../core/errors.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import { PostgresAdvisoryLocks } from './advisory-locks.ts'
import { runTransaction } from './open-transaction.ts'
import { PgConnection } from './pg-connection.ts'
import { PgTransactionDriver } from './pg-transaction.ts'
import type { QueryResult } from './queryable.ts'
import type { Session, SessionOptions, Sql, TransactionOptions } from './sql.ts'
import { connectError } from './sql-errors.ts'
import type { Tx } from './tx.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. Without it and without a pool, libpq's variables (`PGHOST` …) decide. */
  readonly connectionString?: string | undefined
  /** A `pg` pool of your own, made with `pipeline: true` for full speed. It stays yours: `close` leaves it open. */
  readonly pool?: Pool | undefined
  /** Connections at most. A relay keeps one for itself. @default 10 */
  readonly maxConnections?: number | undefined
  /** Longest wait for a new connection. Milliseconds. @default 5000 */
  readonly connectTimeoutMs?: number | undefined
  /** Longest wait for one to become free when all are in use. Milliseconds. @default 30000 */
  readonly acquireTimeoutMs?: number | undefined
  /** Shown in `pg_stat_activity`. @default 'evtkit' */
  readonly applicationName?: string | undefined
  /**
   * Keeps the plans of statements with values on each connection. Turn it off behind a pooler that hands a session's
   * connection to others without keeping prepared statements apart. @default true
   */
  readonly prepare?: boolean | undefined
  readonly logger?: Logger | undefined
}

/**
 * Connects to a PostgreSQL database (14 or newer) through `pg`. Nothing is opened before the first statement.
 *
 * @example
 * const sql = createPostgres({ connectionString: 'postgres://127.0.0.1:5432/orders' })
 * await sql.transaction(async (tx) => {
 *   await tx.query('insert into orders (id) values ($1)', ['o-1'])
 * })
 *
 * @throws InvalidConfigurationError when both a pool and a connection string are given, or the latter is no PostgreSQL URL.
 */
export function createPostgres(options: PostgresOptions = {}): Sql {
  if (options.pool !== undefined && options.connectionString !== undefined)
    throw new InvalidConfigurationError('createPostgres takes a connectionString or a pool, not both')
  if (options.connectionString !== undefined) mustBePostgresUrl(options.connectionString)
  return new PostgresSql(options)
}

class PostgresSql implements Sql {
  readonly #pool: Pool
  readonly #ownsPool: boolean
  readonly #logger: Logger
  readonly #place: string
  readonly #prepares: boolean
  #open = 0
  #whenClosed: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor({ pool, connectionString, maxConnections = 10, connectTimeoutMs = 5000, ...rest }: PostgresOptions) {
    const { applicationName = 'evtkit', logger = consoleLogger } = rest
    const config: PoolConfig = {
      max: maxConnections,
      // The pool's timeout counts waiting for a free connection as well; connecting has the shorter one of the client.
      connectionTimeoutMillis: rest.acquireTimeoutMs ?? 30_000,
      Client: clientWithTimeout(connectTimeoutMs),
      application_name: applicationName,
      keepAlive: true,
      pipeline: true,
      ...(connectionString === undefined ? {} : { connectionString }),
    }
    this.#pool = pool ?? new Pool(config)
    this.#ownsPool = pool === undefined
    this.#logger = logger
    this.#prepares = rest.prepare ?? true
    this.#place = placeOf(connectionString)
    // Without a listener, a connection that drops while it is idle would end the process.
    this.#pool.on('error', this.#onIdleError)
    if (!this.#ownsPool) return
    this.#pool.on('connect', () => this.#open++)
    this.#pool.on('remove', () => {
      if (--this.#open === 0) this.#whenClosed?.()
    })
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    const connection = await this.#checkOut()
    try {
      return await connection.query({ text, values })
    } finally {
      connection.release()
    }
  }

  async transaction<T>(work: (tx: Tx) => Promise<T> | T, options?: TransactionOptions): Promise<T> {
    const connection = await this.#checkOut()
    try {
      return await runTransaction(this.#driver(connection), work, options)
    } finally {
      connection.release()
    }
  }

  async session<T>(work: (session: Session) => Promise<T>, { leaseMs }: SessionOptions = {}): Promise<T> {
    const connection = await this.#checkOut()
    // Its locks and settings must not outlive the work.
    connection.spoil()
    const watch = leaseMs === undefined ? undefined : connection.watch(leaseMs)
    try {
      if (leaseMs !== undefined) {
        const lease = Math.ceil(leaseMs)
        await connection.query({
          text: `set idle_session_timeout = ${lease}; set idle_in_transaction_session_timeout = ${lease}`,
          values: undefined,
        })
      }
      return await work(this.#session(connection))
    } finally {
      watch?.stop()
      connection.release()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #session(connection: PgConnection): Session {
    const query = (text: string, values?: readonly unknown[]) => connection.query({ text, values })
    return {
      query,
      transaction: (work, options) => runTransaction(this.#driver(connection), work, options),
      locks: new PostgresAdvisoryLocks({ query }),
      lost: connection.lost,
      shared: false,
    }
  }

  #driver(connection: PgConnection): PgTransactionDriver {
    return new PgTransactionDriver(connection, async (processId) => {
      // Not from the pool: it may be exhausted by the very statements that are to be cancelled.
      const client = new Client(this.#pool.options)
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query('select pg_cancel_backend($1)', [processId])
      } finally {
        await client.end()
      }
    })
  }

  async #checkOut(): Promise<PgConnection> {
    if (this.#closing !== undefined) throw new ClosedError(`the connections to ${this.#place} are closed`)
    try {
      return PgConnection.of(await this.#pool.connect(), { place: this.#place, prepares: this.#prepares })
    } catch (error) {
      throw connectError(error, this.#place)
    }
  }

  async #end(): Promise<void> {
    if (!this.#ownsPool) {
      this.#pool.off('error', this.#onIdleError)
      return
    }
    // The pool forgets its clients before their sockets are closed; only the last 'remove' means that nothing is left.
    const closed = new Promise<void>((resolve) => {
      this.#whenClosed = resolve
    })
    await this.#pool.end()
    if (this.#open > 0) await closed
  }

  readonly #onIdleError = (error: Error): void => {
    this.#logger.warn(
      { error: error.message },
      `a free connection to ${this.#place} was lost; the next statement opens a new one`,
    )
  }
}

function mustBePostgresUrl(connectionString: string): void {
  if (/^postgres(ql)?:\/\//.test(connectionString)) return
  // Never the value, not even in part: it may hold a password anywhere.
  throw new InvalidConfigurationError(
    `connectionString must begin with postgres:// or postgresql://, as in postgres://user:password@host:5432/database; got ${connectionString === '' ? 'an empty string' : 'something else'}`,
  )
}

/** Where the database is, for messages: never the credentials. */
function placeOf(connectionString: string | undefined): string {
  if (connectionString === undefined || !URL.canParse(connectionString)) return 'PostgreSQL'
  const { host, pathname } = new URL(connectionString)
  return `PostgreSQL at ${host}${pathname}`
}

/** A client that gives up connecting on its own, before the pool does. */
function clientWithTimeout(connectTimeoutMs: number): new (config?: string | ClientConfig) => Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super({
        ...(typeof config === 'string' ? { connectionString: config } : config),
        connectionTimeoutMillis: connectTimeoutMs,
      })
    }
  }
}
