import { BrokerRefusedError, UnknownTopicError } from '../core/errors.ts'
import type { NewTopic, TopicDetails } from '../core/topic.ts'
import type { TopicChanges } from '../core/transport.ts'
import { PartitionLog } from './partition-log.ts'

/** The topics of a broker, each with the logs of its partitions. */
export class TopicLogs {
  readonly #topics = new Map<string, readonly PartitionLog[]>()
  readonly #settings = new Map<string, Omit<TopicDetails, 'name' | 'partitions'>>()
  readonly #watchers = new Set<() => void>()

  get names(): string[] {
    return [...this.#topics.keys()].sort()
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  find(topic: string): readonly PartitionLog[] | undefined {
    return this.#topics.get(topic)
  }

  /** @throws UnknownTopicError */
  get(topic: string): readonly PartitionLog[] {
    const logs = this.#topics.get(topic)
    if (logs === undefined) throw new UnknownTopicError(topic)
    return logs
  }

  /** Existing topics are left as they are. */
  create({ name, partitions, retentionMs, cleanup = 'delete' }: NewTopic): void {
    if (this.#topics.has(name)) return
    this.#settings.set(name, { retentionMs, cleanup, replicas: 1 })
    this.#topics.set(
      name,
      Array.from({ length: partitions }, (_, partition) => new PartitionLog(name, partition)),
    )
    for (const watcher of [...this.#watchers]) watcher()
  }

  describe(name: string): TopicDetails | undefined {
    const logs = this.#topics.get(name)
    const settings = this.#settings.get(name)
    return logs === undefined || settings === undefined ? undefined : { name, partitions: logs.length, ...settings }
  }

  /** @throws UnknownTopicError */
  configure(name: string, changes: TopicChanges): void {
    this.get(name)
    const settings = this.#settings.get(name)
    if (settings === undefined) return
    const { retentionMs = settings.retentionMs, cleanup = settings.cleanup } = changes
    this.#settings.set(name, { ...settings, retentionMs, cleanup })
  }

  /**
   * Adds partitions. Whoever holds the old list still sees the old count.
   *
   * @throws UnknownTopicError
   * @throws BrokerRefusedError when there are as many already
   */
  grow(name: string, partitions: number): void {
    const logs = this.get(name)
    if (partitions <= logs.length)
      throw new BrokerRefusedError(
        `topic "${name}" has ${logs.length} partition(s) and can only get more, not ${partitions}`,
      )
    const added = Array.from({ length: partitions - logs.length }, (_, i) => new PartitionLog(name, logs.length + i))
    this.#topics.set(name, [...logs, ...added])
  }

  delete(topic: string): void {
    const logs = this.#topics.get(topic)
    if (logs === undefined) return
    this.#topics.delete(topic)
    this.#settings.delete(topic)
    for (const log of logs) for (const reader of [...log.readers]) reader.abandon()
  }

  /** Calls back whenever a topic was created, until the returned function is called. */
  watch(created: () => void): () => void {
    this.#watchers.add(created)
    return () => this.#watchers.delete(created)
  }
}
