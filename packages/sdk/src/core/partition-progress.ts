import type { FailedAttempt } from './failed-events.ts'
import type { Delivery } from './message.ts'

/** What is remembered of a record that could not be finished yet. */
interface Failure {
  readonly attempts: number
  readonly retryAt: number
  readonly error: Error
  /** When the first attempt failed; monotonic milliseconds. */
  readonly since: number
  /** The first attempts and the last ones; a record that fails for days must not fill the memory. */
  readonly history: readonly FailedAttempt[]
  /** How often it had to wait for something that was not its fault. */
  readonly postponed: number
}

const longestHistory = 20

/**
 * What a consumer remembers of one partition while it owns it: which records beyond the committed offset are finished
 * already, and which have failed how often.
 */
export class PartitionProgress {
  readonly generation: number
  #finishedBeyond = new Set<bigint>()
  readonly #failures = new Map<bigint, Failure>()
  /** Failed records whose call was given up and has not returned. */
  readonly #stillRunning = new Set<bigint>()

  constructor(generation: number) {
    this.generation = generation
  }

  /** Nothing is remembered: every record is new and none has failed. The usual case, worth knowing in one look. */
  get isClean(): boolean {
    return this.#finishedBeyond.size === 0 && this.#failures.size === 0
  }

  isFinished(offset: bigint): boolean {
    return this.#finishedBeyond.has(offset)
  }

  /** Replaces what is remembered as finished up to `last`. A later batch may end before an earlier one did, so what is beyond stays. */
  rememberFinished(offsets: Iterable<bigint>, last: bigint): void {
    const remembered = new Set(offsets)
    for (const offset of this.#finishedBeyond) if (offset > last) remembered.add(offset)
    this.#finishedBeyond = remembered
  }

  /** The delivery as it is now handed over: with its attempt counted up if it has failed before. */
  attempt(delivery: Delivery): Delivery {
    const failure = this.#failures.get(delivery.offset)
    if (failure === undefined) return delivery
    const { message, partition, offset, group, replay } = delivery
    return { message, partition, offset, group, replay, attempt: failure.attempts + 1 }
  }

  /** An attempt failed at `now` (monotonic milliseconds). */
  failed(offset: bigint, error: Error, attempt: FailedAttempt, now: number, waitMs: number): void {
    const { attempts = 0, history = [], since = now, postponed = 0 } = this.#failures.get(offset) ?? {}
    const kept = history.length < longestHistory ? history : [...history.slice(0, 1), ...history.slice(2)]
    this.#failures.set(offset, {
      ...{ error, postponed, since: attempts === 0 ? now : since },
      attempts: attempts + 1,
      retryAt: now + waitMs,
      history: [...kept, attempt],
    })
  }

  /** A record has to wait for something that is not its fault; no attempt is counted. */
  postponed(offset: bigint, error: Error, now: number, waitMs: number): void {
    const { attempts = 0, history = [], since = now, postponed = 0 } = this.#failures.get(offset) ?? {}
    this.#failures.set(offset, { attempts, history, since, error, retryAt: now + waitMs, postponed: postponed + 1 })
  }

  postponements(offset: bigint): number {
    return this.#failures.get(offset)?.postponed ?? 0
  }

  /** Attempts that have failed, as far as they are remembered, and when the first one did. */
  failures(offset: bigint): { readonly history: readonly FailedAttempt[]; readonly since: number } | undefined {
    return this.#failures.get(offset)
  }

  succeeded(offset: bigint): void {
    this.#failures.delete(offset)
  }

  /** The call that handles a record was given up and still runs: the record is not due before it has returned. */
  abandoned(offset: bigint): void {
    this.#stillRunning.add(offset)
  }

  returned(offset: bigint): void {
    this.#stillRunning.delete(offset)
  }

  /** Whether a failed record may be tried again at `now` (monotonic milliseconds). */
  isDue(offset: bigint, now: number): boolean {
    const failure = this.#failures.get(offset)
    return failure === undefined || (failure.retryAt <= now && !this.#stillRunning.has(offset))
  }

  /** Milliseconds until the first failed record is due; 0 when none has failed, infinite when all of them still run. */
  retryInMs(now: number): number {
    if (this.#failures.size === 0) return 0
    let first = Number.POSITIVE_INFINITY
    for (const [offset, { retryAt }] of this.#failures)
      if (!this.#stillRunning.has(offset)) first = Math.min(first, retryAt)
    return Math.max(1, Math.ceil(first - now))
  }

  /** The oldest record that holds the partition back, if any; or only one that waits for something that is not its fault. */
  blockedBy(
    onlyPostponed = false,
  ): { readonly offset: bigint; readonly attempts: number; readonly error: Error } | undefined {
    let found: { offset: bigint; attempts: number; error: Error } | undefined
    for (const [offset, { attempts, error, postponed }] of this.#failures)
      if ((!onlyPostponed || postponed > 0) && (found === undefined || offset < found.offset))
        found = { offset, attempts, error }
    return found
  }
}
