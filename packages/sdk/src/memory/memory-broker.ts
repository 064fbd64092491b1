import { type Clock, systemClock } from '../core/clock.ts'
import {
  ClosedError,
  type EvtError,
  InvalidConfigurationError,
  RecordTooLargeError,
  SendFailedError,
  type SendFailure,
  UnknownTopicError,
} from '../core/errors.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { partitionOf } from '../core/murmur2.ts'
import { SendFailures } from '../core/send-failures.ts'
import type { NewTopic, TopicDetails } from '../core/topic.ts'
import type { PartitionOffsets, SubscribeOptions, Subscription, TopicChanges, Transport } from '../core/transport.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { MemorySubscription, type Surroundings } from './memory-subscription.ts'
import { type LogRecord, sizeOf } from './partition-log.ts'
import { TopicLogs } from './topic-logs.ts'

/** A broker inside the process: logs with partitions, consumer groups with rebalances, and nothing on disk. */
export interface MemoryBroker extends Transport {
  /** Another client of the same broker. Closing it closes only what was subscribed through it. */
  connect(): Transport
  /**
   * What the log of a topic holds, partition by partition.
   *
   * @throws UnknownTopicError
   */
  records(topic: string): readonly LogRecord[]
  /** Closes every client. What the log holds stays readable. */
  close(deadlineMs?: number): Promise<void>
}

export interface MemoryBrokerOptions {
  readonly clock?: Clock
  /** Spreads messages without a key, and waits between attempts. */
  readonly random?: () => number
  readonly logger?: Logger
  /** Most records in one batch. @default 500 */
  readonly maxBatchRecords?: number
  /** Largest record: key, value and headers. Bytes. @default 1048576, as Kafka's */
  readonly maxRecordBytes?: number
}

/**
 * Creates a broker that lives in this process and forgets everything with it. Records are kept until `deleteRecords`,
 * whatever the retention and cleanup of their topic are.
 *
 * @example
 * const broker = createMemoryBroker()
 * await broker.createTopics([OrderEvents])
 * const producer = createProducer({ sender: broker, source: 'order-service' })
 *
 * @throws InvalidConfigurationError for limits that are not whole numbers from 1 up.
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const { clock = systemClock, random = Math.random, logger = consoleLogger } = options
  const { maxBatchRecords = 500, maxRecordBytes = 1024 * 1024 } = options
  for (const [name, limit] of Object.entries({ maxBatchRecords, maxRecordBytes }))
    if (!Number.isInteger(limit) || limit < 1)
      throw new InvalidConfigurationError(`${name} must be a whole number from 1 up, got ${limit}`)
  const topics = new TopicLogs()
  const shared = { topics, groups: new ConsumerGroups(topics), clock, random, logger, maxBatchRecords, maxRecordBytes }
  return new RootClient(shared)
}

interface Shared extends Omit<Surroundings, 'onClosed'> {
  readonly groups: ConsumerGroups
  readonly maxRecordBytes: number
}

class MemoryClient implements Transport {
  protected readonly shared: Shared
  readonly #subscriptions = new Set<MemorySubscription>()
  readonly #onClosed: () => void
  #closed = false

  constructor(shared: Shared, onClosed = () => {}) {
    this.shared = shared
    this.#onClosed = onClosed
  }

  /** Appends within the call, so calls that do not wait for each other keep their order; readers are told later. */
  async send(messages: readonly RawMessage[]): Promise<void> {
    this.mustBeOpen('nothing was sent')
    const failed = new SendFailures()
    for (const [i, message] of messages.entries()) {
      if (failed.holdBack(i, message)) continue
      const error = this.#append(message)
      if (error !== undefined) failed.add(i, message, error)
    }
    if (failed.size === 0) return
    const failures = new Map<number, SendFailure>()
    for (const [i, error] of failed.byPlace) {
      const message = messages[i]
      if (message !== undefined) failures.set(i, { message, error })
    }
    throw new SendFailedError(failures, messages.length)
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.mustBeOpen('nothing was subscribed')
    const { group, topics, stallMs, signal } = options
    if (group === '') throw new InvalidConfigurationError('a subscription needs a group, got ""')
    if (topics.length === 0)
      throw new InvalidConfigurationError(`the subscription of group "${group}" needs at least one topic, got none`)
    if (!(stallMs > 0)) throw new InvalidConfigurationError(`stallMs must be more than 0, got ${stallMs}`)
    signal?.throwIfAborted()
    const subscription = new MemorySubscription(options, this.shared.groups.get(group), {
      ...this.shared,
      onClosed: (closed) => this.#subscriptions.delete(closed),
    })
    this.#subscriptions.add(subscription)
    const giveUp = () => void subscription.close(0)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      await subscription.connect()
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
    signal?.throwIfAborted()
    this.mustBeOpen('the subscription was given up')
    return subscription
  }

  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    this.mustBeOpen('no topic was created')
    for (const topic of topics) this.shared.topics.create(topic)
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.shared.topics.delete(name)
      this.shared.groups.forget(name)
    }
  }

  async listTopics(): Promise<readonly { readonly name: string; readonly partitions: number }[]> {
    const { topics } = this.shared
    return topics.names.map((name) => ({ name, partitions: topics.get(name).length }))
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDetails[]> {
    return names.flatMap((name) => this.shared.topics.describe(name) ?? [])
  }

  async growTopic(name: string, partitions: number): Promise<void> {
    this.mustBeOpen('no partition was added')
    this.shared.topics.grow(name, partitions)
    this.shared.groups.grown(name)
  }

  async configureTopic(name: string, changes: TopicChanges): Promise<void> {
    this.mustBeOpen('nothing was changed')
    this.shared.topics.configure(name, changes)
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.shared.topics.get(topic).map(({ partition, low, high }) => ({ partition, low, high }))
  }

  async deleteRecords(topic: string, partition: number, before: bigint): Promise<void> {
    const log = this.shared.topics.get(topic)[partition]
    if (log === undefined) throw new InvalidConfigurationError(`topic "${topic}" has no partition ${partition}`)
    log.deleteBefore(before)
  }

  async listGroups(): Promise<readonly string[]> {
    return this.shared.groups.names
  }

  async members(group: string): Promise<number> {
    return this.shared.groups.find(group)?.size ?? 0
  }

  async committed(group: string, topic: string): Promise<readonly { partition: number; offset: bigint }[]> {
    const offsets = [...(this.shared.groups.find(group)?.committed(topic) ?? [])]
    return offsets.sort(([a], [b]) => a - b).map(([partition, offset]) => ({ partition, offset }))
  }

  async setOffsets(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: bigint }[],
  ): Promise<void> {
    this.shared.groups.setOffsets(group, topic, offsets)
  }

  async close(deadlineMs = 10_000): Promise<void> {
    this.#closed = true
    const closed = await Promise.allSettled(
      [...this.#subscriptions].map((subscription) => subscription.close(deadlineMs)),
    )
    this.#onClosed()
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }

  protected mustBeOpen(consequence: string): void {
    if (this.#closed) throw new ClosedError(`this client of the memory broker is closed; ${consequence}`)
  }

  #append(message: RawMessage): EvtError | undefined {
    const { topics, clock, random, maxRecordBytes } = this.shared
    const logs = topics.find(message.topic)
    if (logs === undefined) return new UnknownTopicError(message.topic)
    const bytes = sizeOf(message)
    if (bytes > maxRecordBytes)
      return new RecordTooLargeError(
        `a record of ${bytes} bytes for "${message.topic}" exceeds maxRecordBytes (${maxRecordBytes}) of the memory broker; nothing of it was sent. Send less, or raise maxRecordBytes`,
      )
    const { key } = message
    const partition = key === null ? Math.floor(random() * logs.length) : partitionOf(key, logs.length)
    logs[partition]?.append(message, clock.now())
    return undefined
  }
}

class RootClient extends MemoryClient implements MemoryBroker {
  readonly #clients = new Set<Transport>()

  connect(): Transport {
    this.mustBeOpen('no client was made')
    const client: Transport = new MemoryClient(this.shared, () => this.#clients.delete(client))
    this.#clients.add(client)
    return client
  }

  records(topic: string): readonly LogRecord[] {
    return this.shared.topics.get(topic).flatMap((log) => log.records)
  }

  override async close(deadlineMs = 10_000): Promise<void> {
    const closed = await Promise.allSettled([
      super.close(deadlineMs),
      ...[...this.#clients].map((client) => client.close(deadlineMs)),
    ])
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }
}
