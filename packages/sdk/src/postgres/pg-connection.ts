import type { QueryResult as PgResult, PoolClient } from 'pg'
import { DatabaseUnavailableError } from '../core/errors.ts'
import { type Command, seenFromHere, type TransactionDriver } from './open-transaction.ts'
import { preparedName, stalePlanStates } from './prepared-statements.ts'
import type { QueryResult } from './sql.ts'
import { sqlState, statementError } from './sql-errors.ts'

/** How long a rollback may take before the connection is dropped instead. Milliseconds. */
const rollbackMs = 5000

/** How long a rollback waits for the statement in front of it before that is cancelled. Milliseconds. */
const cancelAfterMs = 100

/** One wrapper per client, for as long as the pool keeps it: making listeners anew for every checkout costs more than a statement. */
const connections = new WeakMap<PoolClient, PgConnection>()

/** A `pg` client of a pool: sends what belongs together in one flush, and knows when its connection is gone. */
export class PgConnection {
  readonly #client: PoolClient
  readonly #place: string
  readonly #prepares: boolean
  #lost: { readonly error: unknown } | undefined
  #whenLost: AbortController | undefined
  #underWay = 0
  #turn: Promise<unknown> = Promise.resolve()
  #spoiled = false

  /** The connection of a client that was just checked out. */
  static of(
    client: PoolClient,
    { place, prepares }: { readonly place: string; readonly prepares: boolean },
  ): PgConnection {
    let connection = connections.get(client)
    if (connection === undefined) {
      connection = new PgConnection(client, place, prepares)
      connections.set(client, connection)
    }
    return connection
  }

  private constructor(client: PoolClient, place: string, prepares: boolean) {
    this.#client = client
    this.#prepares = prepares
    this.#place = place
    // While a client is checked out the pool does not listen; without a listener, a dropped connection would end the process.
    client.on('error', (error) => this.#drop(error))
    client.on('end', () => this.#drop(new Error('the connection was closed')))
  }

  /** Aborted when the connection is gone. */
  get lost(): AbortSignal {
    this.#whenLost ??= new AbortController()
    if (this.#lost !== undefined) this.#whenLost.abort(this.#lostError())
    return this.#whenLost.signal
  }

  get processId(): number | undefined {
    // `pg` keeps the backend's pid on the client; its types leave it out.
    const { processID } = this.#client as PoolClient & { readonly processID?: unknown }
    return typeof processID === 'number' ? processID : undefined
  }

  get busy(): boolean {
    return this.#underWay > 0
  }

  /** The connection goes back to nobody: it may still receive a cancellation, or holds settings and locks. */
  spoil(): void {
    this.#spoiled = true
  }

  release(): void {
    this.#client.release(this.#spoiled || this.#lost !== undefined || this.busy)
  }

  /** Runs commands in order. With `pipeline`, they leave in one write and nothing waits for an answer in between. */
  run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<PgResult>[]> {
    if (this.#client.pipeline === true) return this.#flush(commands)
    // A client without pipelining runs one statement at a time; the queue is kept here so that `pg` need not.
    const outcomes = this.#turn.then(async () => {
      const settled: PromiseSettledResult<PgResult>[] = []
      for (const command of commands) settled.push(...(await this.#flush([command])))
      return settled
    })
    this.#turn = outcomes
    return outcomes
  }

  async query(command: Command): Promise<QueryResult> {
    const [outcome] = await this.run([command])
    if (outcome?.status !== 'fulfilled') throw seenFromHere(outcome?.reason)
    return outcome.value
  }

  #flush(commands: readonly Command[]): Promise<readonly PromiseSettledResult<PgResult>[]> {
    // Callbacks rather than promises: this is the hot path of everything, and `pg` makes two promises per statement.
    return new Promise((resolve) => {
      const outcomes: PromiseSettledResult<PgResult>[] = new Array(commands.length)
      let open = commands.length
      const stream = commands.length > 1 ? this.#client.connection?.stream : undefined
      stream?.cork()
      for (const [i, command] of commands.entries())
        this.#send(command, (outcome) => {
          outcomes[i] = outcome
          if (--open === 0) resolve(outcomes)
        })
      stream?.uncork()
    })
  }

  #send({ text, values }: Command, settle: (outcome: PromiseSettledResult<PgResult>) => void): void {
    this.#underWay++
    const done = (error: unknown, result?: PgResult | PgResult[]) => {
      this.#underWay--
      const last = Array.isArray(result) ? result.at(-1) : result
      if (last !== undefined) settle({ status: 'fulfilled', value: last })
      else settle({ status: 'rejected', reason: this.#explain(error) })
    }
    // `pg` only reads the values.
    const parameters = values as unknown[] | undefined
    if (parameters === undefined) {
      this.#client.query(text, done)
      return
    }
    const name = this.#prepares ? preparedName(text) : undefined
    this.#client.query(name === undefined ? { text, values: parameters } : { name, text, values: parameters }, done)
  }

  #explain(error: unknown): unknown {
    if (stalePlanStates.has(sqlState(error) ?? '')) this.spoil()
    return statementError(error, this.#lost !== undefined, this.#place)
  }

  #lostError(): DatabaseUnavailableError {
    return new DatabaseUnavailableError(`the connection to ${this.#place} is gone`, { cause: this.#lost?.error })
  }

  #drop(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = { error }
    this.#whenLost?.abort(this.#lostError())
  }
}

const begin: Command = { text: 'BEGIN', values: undefined }
const commit: Command = { text: 'COMMIT', values: undefined }
const rollback: Command = { text: 'ROLLBACK', values: undefined }

/** A transaction on a connection. BEGIN leaves with the first statement, COMMIT with the last ones that nobody waits for. */
export class PgTransactionDriver implements TransactionDriver {
  readonly #connection: PgConnection
  readonly #cancel: (processId: number) => Promise<void>
  #begun = false

  constructor(connection: PgConnection, cancel: (processId: number) => Promise<void>) {
    this.#connection = connection
    this.#cancel = cancel
  }

  async run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    if (this.#begun) return this.#connection.run(commands)
    this.#begun = true
    const [begun, ...outcomes] = await this.#connection.run([begin, ...commands])
    // Without a transaction the statements committed one by one; that can only be a lost connection, and is said as such.
    if (begun?.status === 'rejected') throw begun.reason
    return outcomes
  }

  async commit(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    if (!this.#begun && commands.length === 0) return []
    const outcomes = await this.#connection.run(this.#begun ? [...commands, commit] : [begin, ...commands, commit])
    const committed = outcomes.at(-1)
    const results = this.#begun ? outcomes.slice(0, -1) : outcomes.slice(1, -1)
    this.#begun = false
    if (results.some((outcome) => outcome.status === 'rejected')) return results
    if (committed?.status !== 'fulfilled') throw committed?.reason
    // PostgreSQL answers COMMIT of a failed transaction with a rollback and no error.
    if (committed.value.command === 'ROLLBACK')
      throw new Error(
        'the transaction was rolled back: a statement in it had failed and its error was caught. Let errors of statements pass, or use a savepoint.',
      )
    return results
  }

  async rollback(): Promise<void> {
    if (!this.#begun) return
    this.#begun = false
    const timers: NodeJS.Timeout[] = []
    const overdue = new Promise<void>((resolve) => {
      timers.push(setTimeout(() => this.#cancelStuck(), cancelAfterMs))
      timers.push(
        setTimeout(() => {
          this.#connection.spoil()
          resolve()
        }, rollbackMs),
      )
    })
    const done = this.#connection.run([rollback]).then(([outcome]) => {
      if (outcome?.status !== 'fulfilled') this.#connection.spoil()
    })
    await Promise.race([done, overdue])
    for (const timer of timers) clearTimeout(timer)
  }

  /** A statement of the work is still running, behind a lock perhaps, and the rollback waits behind it. */
  #cancelStuck(): void {
    const { processId } = this.#connection
    if (processId === undefined) return
    // The cancellation may arrive late and would hit whoever had the connection then.
    this.#connection.spoil()
    // When it cannot be sent, the rollback runs out of time and the connection is dropped, which ends the work as well.
    this.#cancel(processId).catch(() => {})
  }
}
