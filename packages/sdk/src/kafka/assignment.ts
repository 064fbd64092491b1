import type { TopicPartition } from './driver.ts'
import { keyOf } from './paused-partitions.ts'

/** The partitions that a member was given at one joining of its group. */
export class Assignment {
  readonly partitions: readonly TopicPartition[]
  readonly #generation: number
  /** Partitions that were moved since have a generation of their own: what was remembered of them is void too. */
  readonly #moved = new Map<string, number>()

  constructor(partitions: readonly TopicPartition[], generation: number) {
    this.partitions = partitions
    this.#generation = generation
  }

  has(place: TopicPartition): boolean {
    const key = keyOf(place)
    return this.partitions.some((own) => keyOf(own) === key)
  }

  generationOf(place: TopicPartition): number {
    return this.#moved.get(keyOf(place)) ?? this.#generation
  }

  move(place: TopicPartition, generation: number): void {
    this.#moved.set(keyOf(place), generation)
  }
}
