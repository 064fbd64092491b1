import type { QueryResult as PgResult, PoolClient, Query } from 'pg'
import { DatabaseUnavailableError } from '../core/errors.ts'
import { type Command, seenFromHere } from './open-transaction.ts'
import { type BatchOutcome, type BatchReceiver, BatchWriter, PgBatch } from './pg-batch.ts'
import { Flush, type FlushOwner } from './pg-flush.ts'
import { stalePlanStates } from './prepared-statements.ts'
import type { QueryResult } from './sql.ts'
import { sqlState, statementError } from './sql-errors.ts'

/** One wrapper per client, for as long as the pool keeps it: making listeners anew for every checkout costs more than a statement. */
const connections = new WeakMap<PoolClient, PgConnection>()

/** A `pg` client of a pool: sends what belongs together in one flush, and knows when its connection is gone. */
export class PgConnection implements FlushOwner {
  readonly #client: PoolClient
  readonly #place: string
  readonly #writer: BatchWriter
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
    this.#writer = new BatchWriter(prepares)
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
  run(commands: readonly Command[]): Promise<readonly BatchOutcome[]> {
    if (this.#client.pipeline === true) return this.#flush(commands)
    // A client without pipelining runs one statement at a time; the queue is kept here so that `pg` need not.
    const outcomes = this.#turn.then(async () => {
      const settled: BatchOutcome[] = []
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

  #flush(commands: readonly Command[]): Promise<readonly BatchOutcome[]> {
    return new Promise((resolve) => {
      const flush = new Flush(this, commands.length, resolve)
      this.#underWay += commands.length
      const stream = this.#client.connection?.stream
      stream?.cork()
      for (let from = 0; from < commands.length; ) {
        const first = commands[from]
        let end = from + 1
        if (first?.values === undefined) this.#runText(first?.text ?? '', flush.part(from))
        else {
          while (commands[end]?.values !== undefined) end++
          const part = from === 0 && end === commands.length ? commands : commands.slice(from, end)
          // Its types know only the class it extends.
          this.#client.query(new PgBatch(part, this.#writer, flush.part(from)) as unknown as Query)
        }
        from = end
      }
      stream?.uncork()
    })
  }

  settled(count: number): void {
    this.#underWay -= count
  }

  /** A text without values may hold several statements; only the simple protocol takes those. */
  #runText(text: string, receiver: BatchReceiver): void {
    this.#client.query(text, (error: unknown, result?: PgResult | PgResult[]) => {
      const last = Array.isArray(result) ? result.at(-1) : result
      receiver.settle([
        last === undefined ? { status: 'rejected', reason: error } : { status: 'fulfilled', value: last },
      ])
    })
  }

  explain(error: unknown): unknown {
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
