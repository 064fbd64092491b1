import type { TopicPartition } from './driver.ts'

/** One member of a group, and the topics it asked for. */
export interface SubscribedMember {
  readonly id: string
  readonly topics: readonly string[]
}

/**
 * Gives every partition to a member that subscribes to its topic, evenly. While a deployment adds or drops a topic the
 * members of a group differ; dividing by the leader's topics alone would leave partitions that nobody reads, in silence.
 *
 * Every member that calculates this from the same input gets the same answer.
 */
export function assignPartitions(
  members: readonly SubscribedMember[],
  partitionsOf: (topic: string) => readonly number[],
): ReadonlyMap<string, readonly TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1))
  const assigned = new Map<string, TopicPartition[]>(sorted.map(({ id }) => [id, []]))
  const topics = new Set(sorted.flatMap((member) => member.topics))
  for (const topic of [...topics].sort()) {
    const readers = sorted.filter((member) => member.topics.includes(topic))
    for (const partition of [...partitionsOf(topic)].sort((a, b) => a - b)) {
      let least: TopicPartition[] | undefined
      for (const { id } of readers) {
        const partitions = assigned.get(id)
        if (partitions !== undefined && (least === undefined || partitions.length < least.length)) least = partitions
      }
      least?.push({ topic, partition })
    }
  }
  return assigned
}
