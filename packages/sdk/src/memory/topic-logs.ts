import { UnknownTopicError } from '../core/errors.ts'
import type { TopicDefinition } from '../core/topic.ts'
import { PartitionLog } from './partition-log.ts'

/** The topics of a broker, each with the logs of its partitions. */
export class TopicLogs {
  readonly #topics = new Map<string, readonly PartitionLog[]>()
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
  create({ name, partitions }: TopicDefinition): void {
    if (this.#topics.has(name)) return
    this.#topics.set(
      name,
      Array.from({ length: partitions }, (_, partition) => new PartitionLog(name, partition)),
    )
    for (const watcher of [...this.#watchers]) watcher()
  }

  delete(topic: string): void {
    const logs = this.#topics.get(topic)
    if (logs === undefined) return
    this.#topics.delete(topic)
    for (const log of logs) for (const reader of [...log.readers]) reader.abandon()
  }

  /** Calls back whenever a topic was created, until the returned function is called. */
  watch(created: () => void): () => void {
    this.#watchers.add(created)
    return () => this.#watchers.delete(created)
  }
}
