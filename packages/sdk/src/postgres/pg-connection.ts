import type { QueryResult as PgResult, PoolClient } from 'pg'
import type { Command, TransactionDriver } from './open-transaction.ts'
import type { QueryResult } from './sql.ts'
import { statementError } from './sql-errors.ts'

/** How long a rollback may take before the connection is dropped instead. Milliseconds. */
const rollbackMs = 5000

/** A checked-out `pg` client: sends what belongs together in one flush, and knows when its connection is gone. */
export class PgConnection {
  readonly #client: PoolClient
  readonly #place: string
  readonly #lost = new AbortController()
  #underWay = 0
  #turn: Promise<unknown> = Promise.resolve()
  #spoiled = false

  constructor(client: PoolClient, place: string) {
    this.#client = client
    this.#place = place
    // A checked-out client has no other listener; without one, a dropped connection would end the process.
    client.on('error', this.#onLost)
    client.on('end', this.#onLost)
  }

  get lost(): AbortSignal {
    return this.#lost.signal
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
    this.#client.off('error', this.#onLost)
    this.#client.off('end', this.#onLost)
    this.#client.release(this.#spoiled || this.#lost.signal.aborted || this.busy)
  }

  /** Runs commands in order. With `pipeline`, they leave in one write and nothing waits for an answer in between. */
  run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<PgResult>[]> {
    if (this.#client.pipeline !== true) return this.#inTurn(commands)
    const stream = this.#client.connection?.stream
    stream?.cork()
    try {
      return Promise.allSettled(commands.map((command) => this.#send(command)))
    } finally {
      stream?.uncork()
    }
  }

  async query(command: Command): Promise<QueryResult> {
    const [outcome] = await this.run([command])
    if (outcome?.status !== 'fulfilled') throw outcome?.reason
    return outcome.value
  }

  /** A client without pipelining runs one statement at a time; the queue is kept here so that `pg` need not. */
  #inTurn(commands: readonly Command[]): Promise<readonly PromiseSettledResult<PgResult>[]> {
    const outcomes = this.#turn.then(async () => {
      const settled: PromiseSettledResult<PgResult>[] = []
      for (const command of commands) settled.push(...(await Promise.allSettled([this.#send(command)])))
      return settled
    })
    this.#turn = outcomes
    return outcomes
  }

  async #send({ statement, values }: Command): Promise<PgResult> {
    this.#underWay++
    try {
      const config = typeof statement === 'string' ? { text: statement } : statement
      const result: PgResult | PgResult[] = await this.#client.query(
        values === undefined ? config : { ...config, values: [...values] },
      )
      if (!Array.isArray(result)) return result
      const last = result.at(-1)
      if (last === undefined) throw new TypeError('pg answered several statements with no result')
      return last
    } catch (error) {
      throw statementError(error, this.#lost.signal.aborted, this.#place)
    } finally {
      this.#underWay--
    }
  }

  readonly #onLost = (error?: unknown): void => this.#lost.abort(error)
}

const begin: Command = { statement: 'BEGIN', values: undefined }
const commit: Command = { statement: 'COMMIT', values: undefined }
const rollback: Command = { statement: 'ROLLBACK', values: undefined }

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
    const { processId } = this.#connection
    if (this.#connection.busy) {
      // A cancellation may arrive late and hit whoever has the connection then.
      this.#connection.spoil()
      if (processId !== undefined) await this.#cancel(processId).catch(() => {})
    }
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#connection.spoil()
        resolve()
      }, rollbackMs)
    })
    const done = this.#connection.run([rollback]).then(([outcome]) => {
      if (outcome?.status !== 'fulfilled') this.#connection.spoil()
    })
    await Promise.race([done, overdue])
    clearTimeout(timer)
  }
}
