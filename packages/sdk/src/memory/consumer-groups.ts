import { BrokerRefusedError } from '../core/errors.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { TopicLogs } from './topic-logs.ts'

/** The consumer groups of a broker. A group exists while it has members or a committed offset. */
export class ConsumerGroups {
  readonly #topics: TopicLogs
  readonly #groups = new Map<string, ConsumerGroup>()

  constructor(topics: TopicLogs) {
    this.#topics = topics
  }

  get names(): string[] {
    return [...this.#groups.values()]
      .filter((group) => group.isKnown)
      .map((group) => group.name)
      .sort()
  }

  find(name: string): ConsumerGroup | undefined {
    return this.#groups.get(name)
  }

  get(name: string): ConsumerGroup {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new ConsumerGroup(name, this.#topics)
      this.#groups.set(name, group)
    }
    return group
  }

  /** A topic has more partitions than before: they are handed out too. */
  grown(topic: string): void {
    for (const group of this.#groups.values()) group.grown(topic)
  }

  forget(topic: string): void {
    for (const group of this.#groups.values()) group.forget(topic)
  }

  /** @throws BrokerRefusedError while the group has members. */
  setOffsets(
    name: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: bigint }[],
  ): void {
    const group = this.get(name)
    if (group.size > 0)
      throw new BrokerRefusedError(
        `offsets of group "${name}" can only be set while it has no members, it has ${group.size}; stop its consumers first`,
      )
    const partitions = this.#topics.get(topic).length
    for (const { partition, offset } of offsets)
      if (!(partition >= 0 && partition < partitions) || offset < 0n)
        throw new BrokerRefusedError(`"${topic}" has ${partitions} partition(s), got ${partition} at offset ${offset}`)
    for (const { partition, offset } of offsets) group.commit(topic, partition, offset)
  }
}
