import type { QueryResult as PgResult, PoolClient, Query } from 'pg'
import { DatabaseUnavailableError } from '../core/errors.ts'
import type { Owed } from './answer-watch.ts'
import { type Command, seenFromHere } from './open-transaction.ts'
import { type BatchOutcome, type BatchReceiver, BatchWriter, PgBatch } from './pg-batch.ts'
import { Flush, type FlushOwner } from './pg-flush.ts'
import { stalePlanStates } from './prepared-statements.ts'
import type { QueryResult } from './queryable.ts'
import { readOnlyState, sqlState, statementError } from './sql-errors.ts'

/** One wrapper per client, for as long as the pool keeps it: making listeners anew for every checkout costs more than a statement. */
const connections = new WeakMap<PoolClient, PgConnection>()

export interface PgConnectionOptions {
  readonly place: string
  readonly prepares: boolean
  readonly isNew: (connection: PgConnection) => void
}

/** A `pg` client of a pool: sends what belongs together in one flush, and knows when its connection is gone. */
export class PgConnection implements FlushOwner, Owed {
  readonly #client: PoolClient
  readonly #place: string
  readonly #writer: BatchWriter
  #lost: { readonly error: unknown } | undefined
  #whenLost: AbortController | undefined
  #underWay = 0
  #lastAnswer = 0
  #turn: Promise<unknown> = Promise.resolve()
  #spoiled = false

  /** The connection of a client that was just checked out; `isNew` is called with one that was not before. */
  static of(client: PoolClient, { place, prepares, isNew }: PgConnectionOptions): PgConnection {
    let connection = connections.get(client)
    if (connection === undefined) {
      connection = new PgConnection(client, place, prepares)
      connections.set(client, connection)
      isNew(connection)
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

  get silentMs(): number {
    return this.busy ? performance.now() - this.#lastAnswer : 0
  }

  stillWorking(): void {
    this.#lastAnswer = performance.now()
  }

  /** Drops the connection; whoever waits for an answer on it learns that it is gone. */
  giveUp(reason: Error): void {
    this.#client.connection.stream.destroy(reason)
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
    // A client without pipelining takes one exchange at a time; the queue is kept here so that `pg` need not.
    const outcomes = this.#turn.then(async () => {
      const settled: BatchOutcome[] = []
      for (const part of exchangesOf(commands)) settled.push(...(await this.#flush(part)))
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
      if (this.#underWay === 0) this.#lastAnswer = performance.now()
      this.#underWay += commands.length
      const stream = this.#client.connection?.stream
      stream?.cork()
      let from = 0
      for (const exchange of exchangesOf(commands)) {
        this.#exchange(exchange, flush.part(from))
        from += exchange.length
      }
      stream?.uncork()
    })
  }

  settled(count: number): void {
    this.#underWay -= count
    this.#lastAnswer = performance.now()
  }

  /** Drops the connection when the server owes an answer and has not said anything for this long, whatever the reason. */
  watch(silenceMs: number): { stop(): void } {
    const timer = setInterval(() => {
      if (this.silentMs > silenceMs) this.giveUp(new Error(`no answer for ${silenceMs} ms`))
    }, silenceMs / 4)
    timer.unref()
    return { stop: () => clearInterval(timer) }
  }

  #exchange(commands: readonly Command[], receiver: BatchReceiver): void {
    const [first] = commands
    if (first?.values === undefined) this.#runText(first?.text ?? '', receiver)
    // Its types know only the class it extends.
    else this.#client.query(new PgBatch(commands, this.#writer, receiver) as unknown as Query)
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
    const state = sqlState(error)
    // One that reached a standby reads for ever; the next connection may find the server that took over.
    if (state === readOnlyState || (state !== undefined && stalePlanStates.has(state))) this.spoil()
    return statementError(error, this.#lost, this.#place)
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

/** Commands that can share an exchange: those with values, as many as follow each other. A text without goes alone. */
function exchangesOf(commands: readonly Command[]): readonly (readonly Command[])[] {
  if (commands.every((command) => command.values !== undefined)) return [commands]
  const exchanges: Command[][] = []
  let current: Command[] | undefined
  for (const command of commands) {
    if (command.values !== undefined && current !== undefined) current.push(command)
    else {
      const exchange = [command]
      exchanges.push(exchange)
      current = command.values === undefined ? undefined : exchange
    }
  }
  return exchanges
}
