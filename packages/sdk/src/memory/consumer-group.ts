import { assignPartitions, type TopicPartition } from './assignment.ts'
import type { TopicLogs } from './topic-logs.ts'

/** What a group asks of a member. */
export interface GroupMember {
  readonly topics: readonly string[]
  /** Stops all of the member's work; resolves when none runs that could still move an offset. */
  revoke(): Promise<void>
  assign(partitions: readonly TopicPartition[], generation: number): void
  /** A topic that it reads was deleted. */
  topicGone(): void
}

/** Members that share the partitions of their topics, and how far they have come. */
export class ConsumerGroup {
  readonly name: string
  readonly #topics: TopicLogs
  readonly #members = new Set<GroupMember>()
  readonly #committed = new Map<string, Map<number, bigint>>()
  #generation = 0
  #state: 'stable' | 'rebalancing' | 'rebalancing again' = 'stable'

  constructor(name: string, topics: TopicLogs) {
    this.name = name
    this.#topics = topics
  }

  get size(): number {
    return this.#members.size
  }

  get isKnown(): boolean {
    return this.#members.size > 0 || this.#committed.size > 0
  }

  nextGeneration(): number {
    this.#generation++
    return this.#generation
  }

  join(member: GroupMember): void {
    this.#members.add(member)
    this.#rebalance()
  }

  /** Takes the member out; its partitions go to the others. */
  leave(member: GroupMember): void {
    if (this.#members.delete(member)) this.#rebalance()
  }

  commit(topic: string, partition: number, offset: bigint): void {
    let partitions = this.#committed.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#committed.set(topic, partitions)
    }
    partitions.set(partition, offset)
  }

  committed(topic: string): ReadonlyMap<number, bigint> {
    return this.#committed.get(topic) ?? new Map()
  }

  grown(topic: string): void {
    if ([...this.#members].some((member) => member.topics.includes(topic))) this.#rebalance()
  }

  forget(topic: string): void {
    this.#committed.delete(topic)
    for (const member of [...this.#members]) if (member.topics.includes(topic)) member.topicGone()
  }

  #rebalance(): void {
    if (this.#state === 'stable') void this.#untilStable()
    else this.#state = 'rebalancing again'
  }

  async #untilStable(): Promise<void> {
    do {
      this.#state = 'rebalancing'
      await Promise.all([...this.#members].map((member) => member.revoke()))
      // Whoever came or went while work was stopping changes the shares; all stop again, which costs nothing now.
      if (this.#isOutdated) continue
      const generation = this.nextGeneration()
      const shares = assignPartitions([...this.#members], (topic) => this.#topics.find(topic)?.length ?? 0)
      for (const [member, share] of shares) member.assign(share, generation)
    } while (this.#isOutdated)
    this.#state = 'stable'
  }

  get #isOutdated(): boolean {
    return this.#state === 'rebalancing again'
  }
}
