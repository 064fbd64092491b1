import type { Clock, Timer } from '../core/clock.ts'
import type { DriverConsumer, TopicPartition } from './driver.ts'

interface Paused {
  readonly place: TopicPartition
  /** Resumes it; absent where records are gone, because only a person decides about that. */
  readonly timer?: Timer
}

/** The partitions of a member that are not fetched at the moment, and why. */
export class PausedPartitions {
  readonly #consumer: Pick<DriverConsumer, 'pause' | 'resume'>
  readonly #clock: Clock
  readonly #paused = new Map<string, Paused>()

  constructor(consumer: Pick<DriverConsumer, 'pause' | 'resume'>, clock: Clock) {
    this.#consumer = consumer
    this.#clock = clock
  }

  has(place: TopicPartition): boolean {
    return this.#paused.has(keyOf(place))
  }

  /** Whether there are partitions whose records are gone. */
  get hasGaps(): boolean {
    for (const { timer } of this.#paused.values()) if (timer === undefined) return true
    return false
  }

  isGap(place: TopicPartition): boolean {
    const paused = this.#paused.get(keyOf(place))
    return paused !== undefined && paused.timer === undefined
  }

  /** Pauses a partition for a while. */
  rest(place: TopicPartition, ms: number): void {
    this.#consumer.pause([place])
    const timer = this.#clock.after(ms, () => this.resume(place))
    this.#paused.set(keyOf(place), { place, timer })
  }

  /** A partition has been paused because its records are gone. */
  gap(place: TopicPartition): void {
    this.#paused.get(keyOf(place))?.timer?.cancel()
    this.#paused.set(keyOf(place), { place })
  }

  resume(place: TopicPartition): void {
    this.#paused.get(keyOf(place))?.timer?.cancel()
    this.#paused.delete(keyOf(place))
    this.#consumer.resume([place])
  }

  resumeAll(): void {
    for (const { place } of [...this.#paused.values()]) this.resume(place)
  }

  /** Leaves everything as it is and forgets it. */
  forget(): void {
    for (const { timer } of this.#paused.values()) timer?.cancel()
    this.#paused.clear()
  }
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
