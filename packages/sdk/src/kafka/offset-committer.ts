import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { MembershipLostError, type PartitionPosition, type TopicPartition } from './driver.ts'
import { keyOf } from './paused-partitions.ts'

type Commit = (positions: readonly PartitionPosition[]) => Promise<void>

export interface OffsetCommitterOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly intervalMs: number
  /** The broker said that the assignment is void. */
  lost(): void
}

/** Longest rest between commits that fail one after the other. Milliseconds. */
const longestRestMs = 10_000

/**
 * Commits what is finished, all partitions in one request: at once when little happens, and at most once an interval
 * when much does. Commits that fail are sent again with growing rests, and told of each time their number doubles. Holds for one assignment; `reset` begins the next.
 */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  readonly #positions = new Map<string, PartitionPosition>()
  #dirty = new Map<string, PartitionPosition>()
  #commit: Commit | undefined
  /** Tells whether it was answered. */
  #sending: Promise<boolean> | undefined
  #timer: Timer | undefined
  #lastAt = Number.NEGATIVE_INFINITY
  #epoch = 0
  /** Commits that failed since the last one that did not. */
  #failures = 0

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** How commits are sent from now on. */
  by(commit: Commit): void {
    this.#commit = commit
    if (this.#dirty.size > 0) this.#schedule()
  }

  /** Every record of the partition below the offset is finished. */
  mark(position: PartitionPosition): void {
    const key = keyOf(position)
    const known = this.#positions.get(key)
    if (known === undefined || known.offset < position.offset) this.move(position)
  }

  /** Sets where a partition stands, also backwards. */
  move(position: PartitionPosition): void {
    const key = keyOf(position)
    this.#positions.set(key, position)
    this.#dirty.set(key, position)
    this.#schedule()
  }

  /** Where a partition stands, when something of it was finished under this assignment. */
  position(place: TopicPartition): bigint | undefined {
    return this.#positions.get(keyOf(place))?.offset
  }

  /** Sends what is not committed yet and resolves when that was answered. Never rejects. */
  async flush(): Promise<void> {
    if (this.#sending !== undefined) await this.#sending
    // Another flush may wait for the same answer, and be the one that sends the rest. What fails is left to the timer.
    while (this.#sending !== undefined || this.#dirty.size > 0) if (!(await (this.#sending ?? this.#send()))) return
  }

  /** Forgets everything: a new assignment begins, or none does. */
  reset(): void {
    this.#epoch++
    this.#timer?.cancel()
    this.#timer = undefined
    this.#commit = undefined
    this.#positions.clear()
    this.#dirty = new Map()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending !== undefined || this.#commit === undefined) return
    const { clock } = this.#options
    const waitMs = Math.max(0, this.#lastAt + this.#restMs() - clock.monotonic())
    this.#timer = clock.after(waitMs, () => {
      this.#timer = undefined
      if (this.#sending === undefined && this.#dirty.size > 0) void this.#send()
    })
  }

  #send(): Promise<boolean> {
    this.#timer?.cancel()
    this.#timer = undefined
    const commit = this.#commit
    if (commit === undefined) return Promise.resolve(false)
    const epoch = this.#epoch
    const positions = this.#dirty
    this.#dirty = new Map()
    this.#lastAt = this.#options.clock.monotonic()
    this.#sending = commit([...positions.values()])
      .then(
        () => {
          this.#answered()
          return true
        },
        (error: unknown) => {
          this.#failed(error, epoch, positions)
          return false
        },
      )
      .finally(() => {
        this.#sending = undefined
        if (this.#dirty.size > 0) this.#schedule()
      })
    return this.#sending
  }

  #restMs(): number {
    const { intervalMs } = this.#options
    return Math.min(
      Math.max(intervalMs, longestRestMs),
      intervalMs * 2 ** Math.min(Math.max(0, this.#failures - 1), 30),
    )
  }

  #answered(): void {
    if (this.#failures > 0) this.#options.logger.info({ failures: this.#failures }, 'offset commits are answered again')
    this.#failures = 0
  }

  #failed(error: unknown, epoch: number, positions: ReadonlyMap<string, PartitionPosition>): void {
    if (epoch !== this.#epoch) return
    if (error instanceof MembershipLostError) {
      this.#options.lost()
      return
    }
    // It may have been applied all the same; committing an offset twice does no harm.
    for (const [key, position] of positions) if (!this.#dirty.has(key)) this.#dirty.set(key, position)
    this.#failures++
    // At an outage of minutes each one would fill the log.
    if (Number.isInteger(Math.log2(this.#failures)))
      this.#options.logger.warn(
        { error, failures: this.#failures },
        'an offset commit was not answered; it is sent again, and records go on meanwhile',
      )
  }
}
