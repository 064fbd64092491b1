import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig } from 'pg'
import { CloseDeadlineError, ClosedError, InvalidConfigurationError } from '../core/errors.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import { PostgresAdvisoryLocks } from './advisory-locks.ts'
import { AnswerWatch } from './answer-watch.ts'
import { runTransaction } from './open-transaction.ts'
import { PgAside } from './pg-aside.ts'
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
  /**
   * Longest wait for one to become free when all are in use; then the database counts as not available. Shorter than the
   * deadline of handlers, or an event would be blamed for it. Milliseconds. @default 20000
   */
  readonly acquireTimeoutMs?: number | undefined
  /**
   * How long a server may owe an answer before it is asked, on another connection, whether it still works on it. When it
   * does not, or does not answer that either within `connectTimeoutMs`, the connection is given up as
   * a `DatabaseUnavailableError`. Both together shorter than the deadline of handlers, or an event would be blamed for it.
   * Behind a pooler, which hides the server's processes, no statement may take longer. Milliseconds; Infinity for no limit. @default 15000
   */
  readonly answerTimeoutMs?: number | undefined
  /**
   * How long a transaction may do nothing before the server ends it with everything it holds, so that a process that is
   * frozen keeps nobody waiting for ever. Longer than the deadline of handlers. For a pool of your own only when given.
   * Milliseconds; Infinity for no limit. @default 45000
   */
  readonly idleInTransactionMs?: number | undefined
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
 * @throws InvalidConfigurationError when both a pool and a connection string are given, the latter is no PostgreSQL URL, or a time is not above 0.
 */
export function createPostgres(options: PostgresOptions = {}): Sql {
  if (options.pool !== undefined && options.connectionString !== undefined)
    throw new InvalidConfigurationError('createPostgres takes a connectionString or a pool, not both')
  if (options.connectionString !== undefined) mustBePostgresUrl(options.connectionString)
  for (const name of ['connectTimeoutMs', 'acquireTimeoutMs', 'answerTimeoutMs', 'idleInTransactionMs'] as const) {
    const value = options[name]
    if (value !== undefined && !(value > 0))
      throw new InvalidConfigurationError(
        `createPostgres: ${name} must be a number of milliseconds above 0, got ${value}`,
      )
  }
  return new PostgresSql(options)
}

/** What dropped connections may take to be gone on top of a close's deadline. Milliseconds. */
const leaveMs = 500

/** The longest that timers and settings of the server can be told. Milliseconds. */
const longestMs = 2 ** 31 - 1

function finite(ms: number): number {
  return Math.min(ms, longestMs)
}

class PostgresSql implements Sql {
  readonly #pool: Pool
  readonly #ownsPool: boolean
  readonly #logger: Logger
  readonly #place: string
  readonly #prepares: boolean
  readonly #idleInTransactionMs: number | undefined
  readonly #aside: PgAside
  readonly #watch: AnswerWatch
  /** Of our own pool, until their sockets are closed. */
  readonly #clients = new Set<Client>()
  readonly #acquiring = new Set<Promise<PoolClient>>()
  #whenClosed: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor({ pool, connectionString, maxConnections = 10, connectTimeoutMs = 5000, ...rest }: PostgresOptions) {
    const { applicationName = 'evtkit', logger = consoleLogger } = rest
    const config: PoolConfig = {
      max: maxConnections,
      // The pool's timeout counts waiting for a free connection as well; connecting has the shorter one of the client.
      connectionTimeoutMillis: finite(rest.acquireTimeoutMs ?? 20_000),
      Client: clientWithTimeout(finite(connectTimeoutMs)),
      application_name: applicationName,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      pipeline: true,
      ...(connectionString === undefined ? {} : { connectionString }),
    }
    this.#pool = pool ?? new Pool(config)
    this.#ownsPool = pool === undefined
    this.#logger = logger
    this.#prepares = rest.prepare ?? true
    this.#place = placeOf(connectionString)
    this.#idleInTransactionMs = rest.idleInTransactionMs ?? (this.#ownsPool ? 45_000 : undefined)
    this.#aside = new PgAside(this.#pool.options, finite(connectTimeoutMs))
    this.#watch = new AnswerWatch(rest.answerTimeoutMs ?? 15_000, this.#aside.working)
    // Without a listener, a connection that drops while it is idle would end the process.
    this.#pool.on('error', this.#onIdleError)
    if (!this.#ownsPool) return
    this.#pool.on('connect', (client) => this.#clients.add(client))
    this.#pool.on('remove', (client) => {
      this.#clients.delete(client)
      if (this.#clients.size === 0) this.#whenClosed?.()
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

  async session<T>(work: (session: Session) => Promise<T>, { leaseMs, signal }: SessionOptions = {}): Promise<T> {
    signal?.throwIfAborted()
    const connection = await this.#checkOut()
    // Its locks and settings must not outlive the work.
    connection.spoil()
    const giveUp = () => connection.giveUp(new Error('the session was given up'))
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
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
      signal?.removeEventListener('abort', giveUp)
      watch?.stop()
      connection.release()
    }
  }

  close(deadlineMs = 10_000): Promise<void> {
    this.#closing ??= this.#end(deadlineMs)
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
    return new PgTransactionDriver(connection, (processId) => this.#aside.cancel(processId))
  }

  async #checkOut(): Promise<PgConnection> {
    if (this.#closing !== undefined) throw new ClosedError(`the connections to ${this.#place} are closed`)
    try {
      const client = await this.#acquire()
      return PgConnection.of(client, { place: this.#place, prepares: this.#prepares, isNew: this.#receive })
    } catch (error) {
      throw connectError(error, this.#place)
    }
  }

  async #acquire(): Promise<PoolClient> {
    const acquiring = this.#pool.connect()
    this.#acquiring.add(acquiring)
    try {
      return await acquiring
    } finally {
      this.#acquiring.delete(acquiring)
    }
  }

  /** Looks after a connection from its first use on. */
  readonly #receive = (connection: PgConnection): void => {
    this.#watch.add(connection)
    connection.lost.addEventListener('abort', () => this.#watch.remove(connection), { once: true })
    const ms = this.#idleInTransactionMs
    if (ms === undefined) return
    // Not with the startup message, which poolers take only few settings in. It leaves with the first statement.
    const text = `set idle_in_transaction_session_timeout = ${Number.isFinite(ms) ? finite(Math.ceil(ms)) : 0}`
    void connection.run([{ text, values: undefined }])
  }

  async #end(deadlineMs: number): Promise<void> {
    if (!this.#ownsPool) {
      this.#watch.close()
      this.#pool.off('error', this.#onIdleError)
      return
    }
    // The pool forgets its clients before their sockets are closed; only the last 'remove' means that nothing is left.
    const closed = new Promise<void>((resolve) => {
      this.#whenClosed = resolve
    })
    const ended = (async () => {
      // The pool forgets those that wait for a connection when it ends.
      await Promise.allSettled([...this.#acquiring])
      await this.#pool.end()
      if (this.#clients.size > 0) await closed
    })()
    let abandoned = 0
    const timers: NodeJS.Timeout[] = []
    const overdue = new Promise<void>((resolve) => {
      timers.push(
        setTimeout(() => {
          abandoned = this.#pool.totalCount - this.#pool.idleCount
          for (const client of this.#clients) client.connection.stream.destroy()
          // Work that waits for something else than the database keeps its connection to itself; it is not waited for.
          timers.push(setTimeout(resolve, leaveMs))
        }, deadlineMs),
      )
    })
    await Promise.race([ended, overdue])
    for (const timer of timers) clearTimeout(timer)
    this.#watch.close()
    if (abandoned > 0)
      throw new CloseDeadlineError(
        `${abandoned} connection(s) to ${this.#place} were still in use after ${deadlineMs} ms and were dropped; what was not committed is undone`,
      )
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
