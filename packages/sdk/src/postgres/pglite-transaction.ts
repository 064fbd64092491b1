import type { PGliteInterface, Results } from '@electric-sql/pglite'
import { NotATransactionError } from '../core/errors.ts'
import type { Command, TransactionDriver } from './open-transaction.ts'
import { parsers, runPipelined } from './pglite-pipeline.ts'
import type { QueryResult, Row } from './queryable.ts'

/** Runs one command by itself, outside any transaction of ours. */
export async function runAlone(executor: PGliteInterface, { text, values }: Command): Promise<QueryResult> {
  if (values !== undefined) return toResult(await executor.query<Row>(text, [...values], { parsers }))
  const results = await executor.exec(text, { parsers })
  return toResult(results.at(-1))
}

function toResult(result: Results | undefined): QueryResult {
  // Rows are read by column name as records; the library types them by what the caller says.
  const rows = (result?.rows ?? []) as Row[]
  return { rows, rowCount: rows.length > 0 ? rows.length : (result?.affectedRows ?? 0) }
}

/**
 * A transaction on the one connection of a PGlite database: others wait until it has ended. It takes the connection with
 * its first statement, and each sets the search path for itself alone, so nothing leaks to whoever comes next.
 */
export class PgliteTransactionDriver implements TransactionDriver {
  readonly #database: PGliteInterface
  readonly #scope: string
  #opening: Promise<void> | undefined
  /** What is still to be run before the first command. */
  #first: readonly Command[]
  #ended: Promise<unknown> = Promise.resolve()
  /** Its end is decided: what comes later would run outside of it, and commit by itself. */
  #over = false
  #end: (verdict: 'commit' | 'rollback') => void = () => {}

  constructor(database: PGliteInterface, setUp: string | undefined) {
    this.#database = database
    this.#scope = setUp ?? ''
    this.#first = setUp === undefined ? [] : [{ text: setUp, values: undefined }]
  }

  async run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    this.#mustNotBeOver()
    this.#opening ??= this.#open()
    await this.#opening
    const first = this.#first
    this.#first = []
    const outcomes = await runPipelined(this.#database, this.#scope, [...first, ...commands], () =>
      this.#mustNotBeOver(),
    )
    return outcomes.slice(first.length)
  }

  async commit(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    const outcomes = commands.length === 0 ? [] : await this.run(commands)
    if (outcomes.some((outcome) => outcome.status === 'rejected')) {
      await this.rollback()
      return outcomes
    }
    this.#over = true
    this.#end('commit')
    await this.#ended
    return outcomes
  }

  async rollback(): Promise<void> {
    this.#over = true
    this.#end('rollback')
    await this.#ended.catch(() => {})
  }

  #mustNotBeOver(): void {
    if (this.#over)
      throw new NotATransactionError(
        'the transaction ended before this statement could run in it; await every statement',
      )
  }

  #open(): Promise<void> {
    const verdict = new Promise<'commit' | 'rollback'>((resolve) => {
      this.#end = resolve
    })
    return new Promise((resolve, reject) => {
      this.#ended = this.#database.transaction(async (transaction) => {
        resolve()
        if ((await verdict) === 'rollback') await transaction.rollback()
      })
      this.#ended.catch(reject)
    })
  }
}
