import { isEvtError, NotATransactionError } from '../core/errors.ts'
import type { QueryResult } from './queryable.ts'
import type { TransactionOptions } from './sql.ts'
import { inTransaction, type Tx } from './tx.ts'

/** A statement with its values. */
export interface Command {
  readonly text: string
  readonly values: readonly unknown[] | undefined
}

/** The connection under a transaction. */
export interface TransactionDriver {
  /** Runs the commands in order, in as few round trips as it can; a failure does not stop the later ones. */
  run(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]>
  /** Runs the commands and commits, with the outcome of each; rejects when the server rolled back instead. */
  commit(commands: readonly Command[]): Promise<readonly PromiseSettledResult<QueryResult>[]>
  /** Stops a statement under way and rolls back. Never rejects. */
  rollback(): Promise<void>
}

interface Queued extends Command {
  readonly explain: ((error: unknown) => unknown) | undefined
}

/** A transaction of ours, from its first statement to its end. */
export class OpenTransaction implements Tx {
  readonly [inTransaction] = true
  readonly #driver: TransactionDriver
  #queued: Queued[] = []
  readonly #committed: (() => void)[] = []
  #state: 'open' | 'ending' | 'ended' = 'open'
  #failure: { readonly error: unknown } | undefined

  constructor(driver: TransactionDriver) {
    this.#driver = driver
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    this.#mustBeOpen()
    const queued = this.#takeQueued()
    const outcomes = await this.#driver.run([...queued, { text, values }])
    this.#noteFailures(queued, outcomes)
    const last = outcomes.at(-1)
    if (this.#failure !== undefined) throw this.#failure.error
    if (last?.status !== 'fulfilled') throw seenFromHere(last?.reason)
    return last.value
  }

  enqueue(text: string, values?: readonly unknown[], explain?: (error: unknown) => unknown): Promise<void> {
    try {
      this.#mustBeOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    this.#queued.push({ text, values, explain })
    return Promise.resolve()
  }

  onCommit(callback: () => void): void {
    this.#mustBeOpen()
    this.#committed.push(callback)
  }

  async commit(): Promise<void> {
    this.#mustBeOpen()
    if (this.#failure !== undefined) throw this.#failure.error
    this.#state = 'ending'
    const queued = this.#takeQueued()
    let refused: unknown
    try {
      this.#noteFailures(queued, await this.#driver.commit(queued))
    } catch (error) {
      refused = error
    }
    this.#state = 'ended'
    const failure = this.#failedWith()
    // What a queued statement said is the reason; that the server then rolled back is only the consequence.
    if (failure !== undefined) throw failure.error
    if (refused !== undefined) throw refused
    for (const callback of this.#committed) callback()
  }

  async rollback(): Promise<void> {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#queued = []
    await this.#driver.rollback()
  }

  #failedWith(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  #takeQueued(): Queued[] {
    if (this.#queued.length === 0) return []
    const queued = this.#queued
    this.#queued = []
    return queued
  }

  #noteFailures(queued: readonly Queued[], outcomes: readonly PromiseSettledResult<QueryResult>[]): void {
    if (this.#failure !== undefined) return
    for (const [i, { explain }] of queued.entries()) {
      const outcome = outcomes[i]
      if (outcome?.status !== 'rejected') continue
      this.#failure = { error: explain === undefined ? outcome.reason : explain(outcome.reason) }
      return
    }
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open')
      throw new NotATransactionError(
        'this transaction has already ended (committed, rolled back, or given up because its signal was aborted); nothing more can be done in it. Await everything inside the transaction before it returns.',
      )
  }
}

/** Runs `work` in a transaction over `driver` and ends it, one way or the other. */
export async function runTransaction<T>(
  driver: TransactionDriver,
  work: (tx: Tx) => Promise<T> | T,
  { signal }: TransactionOptions = {},
): Promise<T> {
  signal?.throwIfAborted()
  const tx = new OpenTransaction(driver)
  try {
    const result = await unlessAborted(work, tx, signal)
    // Nothing is awaited between the look at the signal and the commit's leaving, so what was given up never commits.
    signal?.throwIfAborted()
    await tx.commit()
    return result
  } catch (error) {
    await tx.rollback()
    throw error
  }
}

function unlessAborted<T>(work: (tx: Tx) => Promise<T> | T, tx: Tx, signal: AbortSignal | undefined): Promise<T> | T {
  if (signal === undefined) return work(tx)
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const done = () => signal.removeEventListener('abort', abort)
    // The executor turns a synchronous throw of the work into a rejection.
    Promise.resolve(work(tx)).then(
      (value) => {
        done()
        resolve(value)
      },
      (error: unknown) => {
        done()
        reject(error)
      },
    )
  })
}

/** The database's errors are made where the socket is read; their stack should lead to whoever waits for the statement. */
export function seenFromHere(error: unknown): unknown {
  if (error instanceof Error && !isEvtError(error)) Error.captureStackTrace(error, seenFromHere)
  return error
}
