/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * Shares partitions among members: every partition whose topic somebody subscribes to goes to exactly one of those who
 * do, to the one with the fewest so far. The order of the members decides between equals.
 */
export function assignPartitions<Member extends { readonly topics: readonly string[] }>(
  members: readonly Member[],
  partitionsOf: (topic: string) => number,
): Map<Member, TopicPartition[]> {
  const shares = new Map<Member, TopicPartition[]>(members.map((member) => [member, []]))
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort()
  for (const topic of topics) {
    const subscribers = members.filter((member) => member.topics.includes(topic))
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      let smallest: TopicPartition[] | undefined
      for (const member of subscribers) {
        const share = shares.get(member)
        if (share !== undefined && (smallest === undefined || share.length < smallest.length)) smallest = share
      }
      smallest?.push({ topic, partition })
    }
  }
  return shares
}
