import type { PGliteInterface, Results, Transaction } from '@electric-sql/pglite'
import type { Command, TransactionDriver } from './open-transaction.ts'
import type { QueryResult, Row } from './sql.ts'

/** Types as `pg` gives them, so that code sees no difference: bigint as text, bytea as a Buffer. */
export const parsers = {
  20: (text: string) => text,
  17: (text: string) => Buffer.from(text.slice(2), 'hex'),
}

/** The one connection, or an open transaction on it. */
type Executor = Pick<PGliteInterface | Transaction, 'query' | 'exec'>

export async function runOn(executor: Executor, { text, values }: Command): Promise<QueryResult> {
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
  readonly #setUp: string | undefined
  #opening: Promise<Transaction> | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #end: (verdict: 'commit' | 'rollback') => void = () => {}

  constructor(database: PGliteInterface, setUp: string | undefined) {
    this.#database = database
    this.#setUp = setUp
  }

  async run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    this.#opening ??= this.#open()
    const transaction = await this.#opening
    const outcomes: PromiseSettledResult<QueryResult>[] = []
    for (const command of commands) outcomes.push(...(await Promise.allSettled([runOn(transaction, command)])))
    return outcomes
  }

  async commit(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    const outcomes = commands.length === 0 ? [] : await this.run(commands)
    if (outcomes.some((outcome) => outcome.status === 'rejected')) {
      await this.rollback()
      return outcomes
    }
    this.#end('commit')
    await this.#ended
    return outcomes
  }

  async rollback(): Promise<void> {
    this.#end('rollback')
    await this.#ended.catch(() => {})
  }

  #open(): Promise<Transaction> {
    const verdict = new Promise<'commit' | 'rollback'>((resolve) => {
      this.#end = resolve
    })
    return new Promise((resolve, reject) => {
      this.#ended = this.#database.transaction(async (transaction) => {
        if (this.#setUp !== undefined) await transaction.exec(this.#setUp)
        resolve(transaction)
        if ((await verdict) === 'rollback') await transaction.rollback()
      })
      this.#ended.catch(reject)
    })
  }
}
