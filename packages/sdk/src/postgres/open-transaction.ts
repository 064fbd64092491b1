import { isEvtError, NotATransactionError } from '../core/errors.ts'
import { type Merge, MergedCommand } from './merged-command.ts'
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
  /** Of a statement that nobody waits for. */
  readonly explain: ((error: unknown) => unknown) | undefined
}

/** It is committed: a callback that throws takes nothing back, and must not keep the others from hearing of it. */
function tell(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    process.emitWarning(
      `a callback of onCommit threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      'EvtkitWarning',
    )
  }
}

/** Statements that leave without waiting for more: the database works on them while others are made. */
const fullTurn = 32

function same(error: unknown): unknown {
  return error
}

type Outcomes = readonly PromiseSettledResult<QueryResult>[]

/** The statements that were asked for in one turn of the event loop's microtasks. */
class Turn {
  readonly commands: Queued[]
  readonly outcomes: Promise<Outcomes>
  /** Sends them; twice is once. */
  readonly leave: () => void

  constructor(commands: Queued[], send: () => Promise<Outcomes>) {
    this.commands = commands
    let leave: () => void = () => {}
    let isGone = false
    this.outcomes = new Promise((resolve) => {
      leave = () => {
        if (isGone) return
        isGone = true
        resolve(send())
      }
    })
    this.leave = leave
    queueMicrotask(this.leave)
  }
}

/** A transaction of ours, from its first statement to its end. */
export class OpenTransaction implements Tx {
  readonly [inTransaction] = true
  readonly #driver: TransactionDriver
  #queued: Queued[] = []
  #turn: Turn | undefined
  /** Ends when all that was sent ahead of its time was answered. */
  #ahead: Promise<void> | undefined
  readonly #committed: (() => void)[] = []
  #state: 'open' | 'ending' | 'ended' = 'open'
  #failure: { readonly error: unknown } | undefined

  constructor(driver: TransactionDriver) {
    this.#driver = driver
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    this.#mustBeOpen()
    const turn = this.#turn ?? this.#beginTurn()
    const index = turn.commands.push({ text, values, explain: undefined }) - 1
    if (turn.commands.length >= fullTurn) turn.leave()
    const outcome = (await turn.outcomes)[index]
    if (this.#failure !== undefined) throw this.#failure.error
    if (outcome?.status !== 'fulfilled') throw seenFromHere(outcome?.reason)
    return outcome.value
  }

  enqueue(
    text: string,
    values?: readonly unknown[],
    explain?: (error: unknown) => unknown,
    merge?: Merge,
  ): Promise<void> {
    try {
      this.#mustBeOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    const commands = this.#turn?.commands ?? this.#queued
    if (merge !== undefined && values !== undefined) this.#merge(commands, merge, values, explain ?? same)
    else commands.push({ text, values, explain: explain ?? same })
    if (this.#queued.length >= fullTurn) this.#sendAhead()
    return Promise.resolve()
  }

  onCommit(callback: () => void): void {
    this.#mustBeOpen()
    this.#committed.push(callback)
  }

  /** Resolves when all that was sent ahead of its time was answered. Awaited before the commit. */
  get ahead(): Promise<void> | undefined {
    return this.#ahead
  }

  async commit(): Promise<void> {
    this.#mustBeOpen()
    // Statements that nobody waited for leave before the commit does.
    this.#turn?.leave()
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
    for (const callback of this.#committed) tell(callback)
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

  /**
   * Statements that are asked for in one turn leave together: handlers that share a transaction ask at once, and an exchange
   * for each would cost more than what it carries.
   */
  #beginTurn(): Turn {
    const commands = this.#takeQueued()
    const turn = new Turn(commands, async () => {
      if (this.#turn === turn) this.#turn = undefined
      if (this.#state === 'ended') this.#mustBeOpen()
      const outcomes = await this.#driver.run(commands)
      this.#noteFailures(commands, outcomes)
      return outcomes
    })
    this.#turn = turn
    return turn
  }

  #merge(commands: Queued[], merge: Merge, row: readonly unknown[], explain: (error: unknown) => unknown): void {
    const last = commands[commands.length - 1]
    const merged = last instanceof MergedCommand && last.add(merge, row) ? last : new MergedCommand(merge, row, explain)
    if (merged !== last) commands.push(merged)
    // As much work as many statements.
    if (merged.isFull && commands === this.#queued) this.#sendAhead()
  }

  /** Has the database work on a long queue while the rest of it is still being made. */
  #sendAhead(): void {
    const turn = this.#beginTurn()
    turn.leave()
    const before = this.#ahead
    this.#ahead = turn.outcomes.then(
      () => before,
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
  }

  #takeQueued(): Queued[] {
    if (this.#queued.length === 0) return []
    const queued = this.#queued
    this.#queued = []
    return queued
  }

  /** A queued statement that failed has nobody who waits for it, so the transaction fails with it. */
  #noteFailures(commands: readonly Queued[], outcomes: readonly PromiseSettledResult<QueryResult>[]): void {
    if (this.#failure !== undefined) return
    const first = outcomes.findIndex((outcome) => outcome.status === 'rejected')
    const outcome = outcomes[first]
    const explain = commands[first]?.explain
    if (outcome?.status === 'rejected' && explain !== undefined) this.#failure = { error: explain(outcome.reason) }
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
    if (tx.ahead !== undefined) await unlessAborted(() => tx.ahead, tx, signal)
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
