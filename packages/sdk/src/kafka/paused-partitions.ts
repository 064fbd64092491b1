import type { Clock, Timer } from '../core/clock.ts'
import type { DriverConsumer, TopicPartition } from './driver.ts'

/** Why a partition is not fetched: until a time, until its batch is finished, or until a person has decided. */
type Paused =
  | { readonly place: TopicPartition; readonly why: 'resting'; readonly timer: Timer }
  | { readonly place: TopicPartition; readonly why: 'busy' | 'undecided' }

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

  /** Whether there are partitions that wait for a person. */
  get hasUndecided(): boolean {
    for (const { why } of this.#paused.values()) if (why === 'undecided') return true
    return false
  }

  isUndecided(place: TopicPartition): boolean {
    return this.#paused.get(keyOf(place))?.why === 'undecided'
  }

  isBusy(place: TopicPartition): boolean {
    return this.#paused.get(keyOf(place))?.why === 'busy'
  }

  /** Pauses a partition for a while. */
  rest({ topic, partition }: TopicPartition, ms: number): void {
    const place = { topic, partition }
    this.#consumer.pause([place])
    const timer = this.#clock.after(ms, () => this.resume(place))
    this.#set({ place, why: 'resting', timer })
  }

  /** Pauses a partition whose batch goes on while others are fetched. */
  busy({ topic, partition }: TopicPartition): void {
    const place = { topic, partition }
    this.#consumer.pause([place])
    this.#set({ place, why: 'busy' })
  }

  /** A partition has been paused because its records are gone, or cannot be read: a person decides. */
  undecided({ topic, partition }: TopicPartition): void {
    this.#set({ place: { topic, partition }, why: 'undecided' })
  }

  resume(place: TopicPartition): void {
    this.#forget(place)
    this.#consumer.resume([place])
  }

  resumeAll(): void {
    for (const { place } of [...this.#paused.values()]) this.resume(place)
  }

  /** Leaves everything as it is and forgets it. */
  forget(): void {
    for (const { place } of [...this.#paused.values()]) this.#forget(place)
  }

  #set(paused: Paused): void {
    this.#forget(paused.place)
    this.#paused.set(keyOf(paused.place), paused)
  }

  #forget(place: TopicPartition): void {
    const key = keyOf(place)
    const paused = this.#paused.get(key)
    if (paused?.why === 'resting') paused.timer.cancel()
    this.#paused.delete(key)
  }
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
