import { type Connection, Query, type QueryResult } from 'pg'
import type { Command } from './open-transaction.ts'
import { preparedName } from './prepared-statements.ts'

export type BatchOutcome = PromiseSettledResult<QueryResult>

/** The part of `pg`'s query that its types leave out. It has not changed in years; the tests of this room notice if it does. */
interface QueryInternals {
  name: string | undefined
  text: string
  values: readonly unknown[] | undefined
  callback: () => void
  readonly _results: QueryResult | QueryResult[]
  readonly _canceledDueToError: unknown
  /** Writes all messages of the statement named above. */
  prepare(writer: BatchWriter): void
}

// Safe: the class is the same, only told in full.
const Base = Query as unknown as new (text: string) => QueryInternals

/** Who waits for a batch. */
export interface BatchReceiver {
  settle(outcomes: readonly BatchOutcome[]): void
}

/**
 * Several statements with values as one message exchange: they leave in one write and the server answers all of them in
 * one, where `pg` by itself has it answer each. The server stops at the first failure; what came after it did not run.
 */
export class PgBatch extends Base {
  readonly #commands: readonly Command[]
  readonly #writer: BatchWriter
  readonly #receiver: BatchReceiver
  #writing = false
  #unsendable: { readonly error: unknown } | undefined
  #planned: readonly PlannedStatement[] = []

  constructor(commands: readonly Command[], writer: BatchWriter, receiver: BatchReceiver) {
    super('batch')
    this.#commands = commands
    this.#writer = writer
    this.#receiver = receiver
    // Never called: what it would be told arrives in the methods below. Without one, `pg` would make promises.
    this.callback = nothing
  }

  submit(connection: Connection): void {
    this.#writing = true
    const writer = this.#writer
    writer.begin(connection)
    connection.stream.cork()
    try {
      for (const command of this.#commands) {
        this.name = writer.nameOf(command.text)
        this.text = command.text
        this.values = command.values
        this.prepare(writer)
        if (this.#unsendable !== undefined) break
        writer.next()
      }
    } finally {
      // `pg` would note under this name what is planned; the writer does.
      this.name = undefined
      this.#planned = writer.planned
      connection.sync()
      connection.stream.uncork()
      this.#writing = false
    }
  }

  handleError(error: unknown): void {
    // While it is being written, an error is about a value that cannot be turned into a parameter.
    if (this.#writing) this.#unsendable = { error }
    else this.#settle(error)
  }

  handleReadyForQuery(): void {
    this.#settle(this.#unsendable?.error ?? this._canceledDueToError)
  }

  #settle(failure: unknown): void {
    const results = Array.isArray(this._results) ? this._results : [this._results]
    const outcomes: BatchOutcome[] = []
    for (const result of results) if (result.command !== null) outcomes.push({ status: 'fulfilled', value: result })
    const done = outcomes.length
    if (done < this.#commands.length) {
      this.#writer.failed(this.#planned, done)
      const reason = failure || new Error('the server gave no answer to this statement; is its text empty?')
      while (outcomes.length < this.#commands.length) outcomes.push({ status: 'rejected', reason })
    }
    this.#receiver.settle(outcomes)
  }
}

function nothing(): void {}

interface PlannedStatement {
  readonly index: number
  readonly name: string
}

/**
 * Writes batches to one connection, and knows what the server has planned for it. It stands in for the connection while a
 * statement writes its messages, and leaves out the sync that each would end with.
 */
export class BatchWriter {
  /** Texts by the name they are planned under; `pg` looks them up here. */
  readonly parsedStatements: Record<string, string> = Object.create(null)
  readonly submittedNamedStatements: Record<string, string> = Object.create(null)
  readonly #prepares: boolean
  /** Names whose planning may or may not have succeeded. */
  readonly #uncertain = new Set<string>()
  #connection: Connection | undefined
  #index = 0
  #planned: PlannedStatement[] = []

  constructor(prepares: boolean) {
    this.#prepares = prepares
  }

  begin(connection: Connection): void {
    this.#connection = connection
    this.#index = 0
    if (this.#planned.length > 0) this.#planned = []
  }

  next(): void {
    this.#index++
  }

  /** What the batch under way had planned. */
  get planned(): readonly PlannedStatement[] {
    return this.#planned
  }

  nameOf(text: string): string | undefined {
    return this.#prepares ? preparedName(text) : undefined
  }

  /** Forgets what a batch was to plan from its failed statement on. Whether that one itself was planned, nobody knows. */
  failed(planned: readonly PlannedStatement[], failedIndex: number): void {
    for (const { index, name } of planned) {
      if (index < failedIndex) continue
      delete this.parsedStatements[name]
      delete this.submittedNamedStatements[name]
      if (index === failedIndex) this.#uncertain.add(name)
    }
  }

  parse(query: { name: string; text: string; types: string[] }): void {
    if (query.name) {
      if (this.#uncertain.delete(query.name)) this.#connection?.close({ type: 'S', name: query.name }, true)
      this.parsedStatements[query.name] = query.text
      this.#planned.push({ index: this.#index, name: query.name })
    }
    this.#connection?.parse(query, true)
  }

  bind(config: Parameters<Connection['bind']>[0]): void {
    this.#connection?.bind(config, true)
  }

  describe(message: Parameters<Connection['describe']>[0]): void {
    this.#connection?.describe(message, true)
  }

  execute(config: Parameters<Connection['execute']>[0]): void {
    this.#connection?.execute(config, true)
  }

  /** Only the batch as a whole is synced. */
  sync(): void {}

  /** Asked for when a value cannot be sent; what was planned stays planned. */
  close(): void {}
}
