import type { Delivery } from '../core/message.ts'

/** A key of a partition that waits, as this member knows it. */
export interface WaitingKey {
  /** The id of its row; a key that reopens and waits again has another. */
  readonly id: string
  /** How many of its events wait, at most: what the worker has finished since is not taken off. */
  events: number
}

/**
 * The keys that wait, of the partitions that this member has. It may hold keys that have reopened, since another member can
 * drain a queue; it never lacks one that the owner of its partition knows of.
 */
export class WaitingKeys {
  readonly #partitions = new Map<string, Map<string, WaitingKey>>()

  /** What is known of a partition, made anew each time it is assigned. */
  load(topic: string, partition: number, keys: Iterable<readonly [key: Buffer, id: string, events: number]>): void {
    const loaded = new Map<string, WaitingKey>()
    for (const [key, id, events] of keys) loaded.set(key.toString('latin1'), { id, events })
    this.#partitions.set(nameOf(topic, partition), loaded)
  }

  of(delivery: Delivery): WaitingKey | undefined {
    const { message, partition } = delivery
    const keys = this.#partitions.get(nameOf(message.topic, partition))
    if (keys === undefined || keys.size === 0 || message.key === null) return undefined
    return keys.get(message.key.toString('latin1'))
  }

  add(delivery: Delivery, id: string): void {
    const { message, partition } = delivery
    if (message.key === null) return
    const name = nameOf(message.topic, partition)
    const keys = this.#partitions.get(name) ?? new Map<string, WaitingKey>()
    this.#partitions.set(name, keys)
    keys.set(message.key.toString('latin1'), { id, events: 1 })
  }

  /**
   * Drops a key that has reopened, unless it waits again by now: whoever says so may be late, and a key that is dropped by
   * mistake lets its events overtake those that wait.
   */
  reopened(topic: string, partition: number, key: Buffer | null, id: string): void {
    const keys = this.#partitions.get(nameOf(topic, partition))
    const name = key?.toString('latin1')
    if (name !== undefined && keys?.get(name)?.id === id) keys.delete(name)
  }

  /** Ids of all keys that are held to wait. */
  ids(): string[] {
    return [...this.#partitions.values()].flatMap((keys) => [...keys.values()].map(({ id }) => id))
  }

  /** Drops the keys whose rows are gone. Ids never come back, so that this can be late without harm. */
  forget(gone: ReadonlySet<string>): void {
    for (const keys of this.#partitions.values()) for (const [name, { id }] of keys) if (gone.has(id)) keys.delete(name)
  }
}

// A map per topic would be cleaner to read and one look-up more for every delivery.
function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
