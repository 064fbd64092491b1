import { NotATransactionError } from '../core/errors.ts'
import type { Command, TransactionDriver } from './open-transaction.ts'
import type { PgConnection } from './pg-connection.ts'
import type { QueryResult } from './queryable.ts'

/** How long a rollback may take before the connection is dropped instead. Milliseconds. */
const rollbackMs = 5000

/** How long a rollback waits for the statement in front of it before that is cancelled. Milliseconds. */
const cancelAfterMs = 100

const begin: Command = { text: 'BEGIN', values: [] }
const commit: Command = { text: 'COMMIT', values: [] }
const rollback: Command = { text: 'ROLLBACK', values: undefined }

/** A transaction on a connection. BEGIN leaves with the first statement, COMMIT with the last ones that nobody waits for. */
export class PgTransactionDriver implements TransactionDriver {
  readonly #connection: PgConnection
  readonly #cancel: (processId: number) => Promise<void>
  #begun = false
  /** BEGIN is under way; rejects when it failed, or the transaction ended meanwhile. */
  #beginning: Promise<void> | undefined

  constructor(connection: PgConnection, cancel: (processId: number) => Promise<void>) {
    this.#connection = connection
    this.#cancel = cancel
  }

  async run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    if (!this.#begun) return this.#begin(commands)
    if (this.#beginning !== undefined) await this.#beginning
    return this.#connection.run(commands)
  }

  async commit(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    if (!this.#begun && commands.length === 0) return []
    if (this.#beginning !== undefined) await this.#beginning
    // What leaves with BEGIN leaves in one exchange with it, or waits for its answer.
    const before = this.#begun || sharesExchange(commands) ? [] : await this.#begin(commands)
    const rest = before.length > 0 ? [] : commands
    const head = this.#begun ? [] : [begin]
    const outcomes = await this.#connection.run([...head, ...rest, commit])
    const results = [...before, ...outcomes.slice(head.length, -1)]
    const committed = outcomes.at(-1)
    this.#begun = true
    if (results.some((outcome) => outcome.status === 'rejected')) {
      // The server stopped at the failure and did not come to the COMMIT.
      await this.rollback()
      return results
    }
    this.#begun = false
    if (committed?.status !== 'fulfilled') throw committed?.reason
    // PostgreSQL answers COMMIT of a failed transaction with a rollback and no error.
    if (committed.value.command === 'ROLLBACK')
      throw new Error(
        'the transaction was rolled back: a statement in it had failed and its error was caught. Let errors of statements pass, or use a savepoint.',
      )
    return results
  }

  /**
   * BEGIN shares one exchange with the commands that can: when it fails, the server skips them. Everything else waits for
   * its answer, since without a transaction it would commit by itself.
   */
  async #begin(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]> {
    this.#begun = true
    const text = commands.findIndex((command) => command.values === undefined)
    const along = text === -1 ? commands : commands.slice(0, text)
    const begun = this.#connection.run([begin, ...along])
    const beginning = begun.then(([outcome]) => {
      this.#beginning = undefined
      if (outcome?.status === 'rejected') throw outcome.reason
      if (!this.#begun) throw new NotATransactionError('the transaction ended before this statement could run in it')
    })
    this.#beginning = beginning
    await beginning
    const [, ...outcomes] = await begun
    return text === -1 ? outcomes : [...outcomes, ...(await this.#connection.run(commands.slice(text)))]
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

function sharesExchange(commands: readonly Command[]): boolean {
  return commands.every((command) => command.values !== undefined)
}
