import { type Clock, pause, systemClock } from '../core/clock.ts'
import { BrokerUnavailableError, ClosedError, InvalidConfigurationError, UnknownTopicError } from '../core/errors.ts'
import { inFlightLimits } from '../core/in-flight.ts'
import { consoleLogger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import type { NewTopic, TopicDetails } from '../core/topic.ts'
import type { PartitionOffsets, SubscribeOptions, Subscription, TopicChanges, Transport } from '../core/transport.ts'
import type { Driver } from './driver.ts'
import type { KafkaOptions } from './kafka-options.ts'
import { KafkaSender } from './kafka-sender.ts'
import { KafkaSubscription } from './kafka-subscription.ts'
import { createKafkajsDriver } from './kafkajs-driver.ts'
import { PartitionCounts } from './partition-counts.ts'

/** A Kafka cluster as a transport: sender, source, and the administration of topics and groups. */
export interface KafkaTransport extends Transport {
  /** The longest a send can take: `deliveryTimeoutMs` twice, since one call may wait behind another. Milliseconds. */
  readonly sendTimeoutMs: number
  /** Which cluster this is, and the brokers that it has at the moment, as `host:port`. */
  describeCluster(): Promise<{ readonly clusterId: string; readonly brokers: readonly string[] }>
  /**
   * Waits for sends under way, closes subscriptions and connections.
   *
   * @param deadlineMs then what is left is abandoned. @default 10000
   * @throws CloseDeadlineError when something was
   */
  close(deadlineMs?: number): Promise<void>
}

/** How long a new topic may take until it can be written to. Milliseconds. */
const newTopicMs = 30_000

/**
 * Opens nothing yet: connections are made when something is sent, subscribed or asked.
 *
 * @example
 * const kafka = createKafka({ brokers: ['localhost:9092'] })
 *
 * @throws InvalidConfigurationError for options that cannot work together
 */
export function createKafka(options: KafkaOptions): KafkaTransport {
  return new Kafka(options)
}

type Settings = Required<Omit<KafkaOptions, 'ssl' | 'sasl'>> & Pick<KafkaOptions, 'ssl' | 'sasl'>

class Kafka implements KafkaTransport {
  readonly #settings: Settings
  readonly #driver: Driver
  readonly #sender: KafkaSender
  readonly #subscriptions = new Set<KafkaSubscription>()
  #closed: Promise<void> | undefined

  constructor(options: KafkaOptions) {
    const settings = withDefaults(options)
    const { clock, random, logger, deliveryTimeoutMs, maxRecordBytes } = settings
    this.#settings = settings
    this.#driver = createKafkajsDriver(settings)
    const counts = new PartitionCounts(this.#driver.admin, clock, settings.metadataMaxAgeMs)
    this.#sender = new KafkaSender({
      driver: this.#driver,
      counts,
      clock,
      random,
      logger,
      deliveryTimeoutMs,
      maxRecordBytes,
    })
  }

  get sendTimeoutMs(): number {
    return 2 * this.#settings.deliveryTimeoutMs
  }

  send(messages: readonly RawMessage[]): Promise<void> {
    return this.#sender.send(messages)
  }

  async subscribe(subscription: SubscribeOptions): Promise<Subscription> {
    this.#mustBeOpen()
    if (subscription.group === '') throw new InvalidConfigurationError('a subscription needs the name of its group')
    if (subscription.topics.length === 0)
      throw new InvalidConfigurationError(`the subscription of group "${subscription.group}" names no topic`)
    inFlightLimits(subscription)
    const opened = new KafkaSubscription(subscription, {
      ...this.#settings,
      driver: this.#driver,
      onClosed: (closed) => this.#subscriptions.delete(closed),
    })
    this.#subscriptions.add(opened)
    await opened.open()
    return opened
  }

  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    this.#mustBeOpen()
    const { admin } = this.#driver
    const { replicationFactor } = this.#settings
    const present = await Promise.all(topics.map(({ name }) => admin.describeTopic(name).catch(() => undefined)))
    const missing = topics.filter((_, i) => present[i] === undefined)
    if (missing.length === 0) return
    await admin.createTopics(
      missing.map(({ name, partitions, retentionMs, cleanup = 'delete', replicas = replicationFactor }) => ({
        name,
        partitions,
        retentionMs,
        cleanup,
        replicationFactor: replicas,
      })),
    )
    await Promise.all(missing.map(({ name }) => this.#untilWritable(name, this.#settings.clock)))
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    this.#mustBeOpen()
    if (names.length > 0) await this.#driver.admin.deleteTopics(names)
  }

  async listTopics(): Promise<readonly { readonly name: string; readonly partitions: number }[]> {
    this.#mustBeOpen()
    return this.#driver.admin.listTopics()
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDetails[]> {
    this.#mustBeOpen()
    return names.length === 0 ? [] : this.#driver.admin.topicDetails(names)
  }

  async growTopic(name: string, partitions: number): Promise<void> {
    this.#mustBeOpen()
    await this.#mustExist(name)
    await this.#driver.admin.growTopic(name, partitions)
    await this.#untilWritable(name, this.#settings.clock, partitions)
  }

  async configureTopic(name: string, changes: TopicChanges): Promise<void> {
    this.#mustBeOpen()
    await this.#mustExist(name)
    await this.#driver.admin.configureTopic(name, changes)
  }

  async describeCluster(): Promise<{ readonly clusterId: string; readonly brokers: readonly string[] }> {
    this.#mustBeOpen()
    return this.#driver.admin.describeCluster()
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    this.#mustBeOpen()
    await this.#mustExist(topic)
    return this.#driver.admin.offsets(topic)
  }

  async deleteRecords(topic: string, partition: number, before: bigint): Promise<void> {
    this.#mustBeOpen()
    await this.#mustExist(topic)
    await this.#driver.admin.deleteRecords({ topic, partition, offset: before })
  }

  async listGroups(): Promise<readonly string[]> {
    this.#mustBeOpen()
    return this.#driver.admin.listGroups()
  }

  async members(group: string): Promise<number> {
    this.#mustBeOpen()
    return this.#driver.admin.members(group)
  }

  async committed(
    group: string,
    topic: string,
  ): Promise<readonly { readonly partition: number; readonly offset: bigint }[]> {
    this.#mustBeOpen()
    await this.#mustExist(topic)
    const positions = await this.#driver.admin.committed(group, topic)
    return positions.map(({ partition, offset }) => ({ partition, offset }))
  }

  async setOffsets(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: bigint }[],
  ): Promise<void> {
    this.#mustBeOpen()
    if (offsets.length > 0)
      await this.#driver.admin.setOffsets(
        group,
        offsets.map(({ partition, offset }) => ({ topic, partition, offset })),
      )
  }

  close(deadlineMs = 10_000): Promise<void> {
    this.#closed ??= this.#close(deadlineMs)
    return this.#closed
  }

  async #close(deadlineMs: number): Promise<void> {
    const { clock } = this.#settings
    const deadline = clock.monotonic() + deadlineMs
    // Handlers that finish may still have something to send.
    const subscriptions = [...this.#subscriptions].map((subscription) => subscription.close(deadlineMs))
    const results = await Promise.allSettled(subscriptions)
    await this.#sender.close(Math.max(0, deadline - clock.monotonic()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #untilWritable(topic: string, clock: Clock, partitions = 1): Promise<void> {
    const deadline = clock.monotonic() + newTopicMs
    for (;;) {
      try {
        // Metadata names leaders that do not know of it yet; one that tells its offsets does.
        if (((await this.#driver.admin.describeTopic(topic))?.partitions ?? 0) >= partitions) {
          await this.#driver.admin.offsets(topic)
          return
        }
      } catch (error) {
        if (clock.monotonic() > deadline) throw error
      }
      if (clock.monotonic() > deadline)
        throw new BrokerUnavailableError(`topic "${topic}" was made and cannot be written to after ${newTopicMs} ms`)
      await pause(clock, 50)
    }
  }

  async #mustExist(topic: string): Promise<void> {
    if ((await this.#driver.admin.describeTopic(topic)) === undefined) throw new UnknownTopicError(topic)
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw new ClosedError('the Kafka transport is closed; create a new one')
  }
}

function withDefaults(options: KafkaOptions): Settings {
  const settings: Settings = {
    clientId: 'evtkit',
    logger: consoleLogger,
    clock: systemClock,
    random: Math.random,
    deliveryTimeoutMs: 30_000,
    requestTimeoutMs: 10_000,
    connectionTimeoutMs: 5000,
    maxRecordBytes: 1_048_000,
    metadataMaxAgeMs: 30_000,
    sessionTimeoutMs: 30_000,
    heartbeatIntervalMs: 3000,
    fetchMaxWaitMs: 250,
    commitIntervalMs: 1000,
    historyGap: 'stop',
    replicationFactor: -1,
    ...options,
  }
  if (settings.brokers.length === 0)
    throw new InvalidConfigurationError('createKafka needs at least one broker as "host:port"')
  for (const [i, broker] of settings.brokers.entries())
    if (!isAddress(broker))
      throw new InvalidConfigurationError(
        // What stands before an @ may be a password.
        `broker ${broker.includes('@') ? `${i + 1} of ${settings.brokers.length}` : `"${broker}"`} is not "host:port", without a scheme, a user or a path`,
      )
  if (settings.heartbeatIntervalMs * 3 > settings.sessionTimeoutMs)
    throw new InvalidConfigurationError(
      `heartbeatIntervalMs (${settings.heartbeatIntervalMs}) must be at most a third of sessionTimeoutMs (${settings.sessionTimeoutMs}), so that one lost heartbeat does no harm`,
    )
  if (settings.sasl?.mechanism === 'plain' && !settings.ssl)
    settings.logger.warn({}, 'SASL/PLAIN without TLS sends the password as it is; set ssl')
  return settings
}

/** A name or an address with its port; an IPv6 address stands in brackets. */
function isAddress(broker: string): boolean {
  const port = /^(?:[^\s:/[\]]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(broker)?.[1]
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536
}
