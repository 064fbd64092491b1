import type { Broker, Cluster, Consumer, EachBatchPayload, LogEntry, TopicOffsets } from 'kafkajs'
import type { Delivery } from '../core/message.ts'
import {
  type DriverBatch,
  type DriverConsumer,
  type DriverConsumerOptions,
  MembershipLostError,
  type PartitionPosition,
  type TopicPartition,
} from './driver.ts'
import { subscriptionAwareAssigner } from './kafkajs-assigner.ts'
import { boundedFetch, nothing } from './kafkajs-bounded-fetches.ts'
import { KafkajsClient, type KafkajsClientOptions } from './kafkajs-client.ts'
import { KafkajsDelivery } from './kafkajs-delivery.ts'
import { classify, isMembershipLost } from './kafkajs-errors.ts'
import { leanProtocol } from './kafkajs-lean-protocol.ts'

/**
 * How often a member of a group tries again, about once a second. Many, because one that gives up comes back as another
 * member, and then the group waits until the session of the old one is over.
 */
const patience = 120

/** What a record has besides key and value, its headers among it, which nobody has looked at yet. Bytes. */
const besidesBytes = 256

export interface KafkajsConsumerOptions extends KafkajsClientOptions {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly fetchMaxWaitMs: number
}

/** A consumer of kafkajs, kept to what it does reliably. */
export class KafkajsConsumer implements DriverConsumer {
  readonly #options: DriverConsumerOptions
  readonly #client: KafkajsClient
  readonly #consumer: Consumer
  #cluster: Cluster | undefined
  /** Set by the log entry that precedes the resetting of an offset, and taken up by that resetting in the same turn. */
  #outOfRange: TopicPartition | undefined
  #started = false
  /** How often the group was joined, and under which joining records were asked for, by the list they came in. */
  #joinings = 0
  readonly #askedUnder = new WeakMap<object, number>()
  #fetches = 0

  constructor(client: KafkajsConsumerOptions, options: DriverConsumerOptions) {
    this.#options = options
    this.#client = new KafkajsClient(client, patience, (entry) => this.#watch(entry))
    leanProtocol(this.#client.kafka, {
      unreadable: (error) => {
        this.pause([error])
        this.#options.unreadable(error)
      },
    })
    this.#consumer = this.#client.kafka.consumer({
      groupId: options.group,
      partitionAssigners: [subscriptionAwareAssigner((cluster) => this.#meet(cluster))],
      sessionTimeout: client.sessionTimeoutMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      // A little shorter than the timer that asks for them, so that none is skipped by a millisecond.
      heartbeatInterval: Math.ceil(client.heartbeatIntervalMs * 0.8),
      maxWaitTimeInMs: client.fetchMaxWaitMs,
      metadataMaxAge: client.metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      retry: {
        initialRetryTime: 200,
        maxRetryTime: 1000,
        retries: patience,
        // A consumer that gave up is replaced by a new one, which shares no state with it.
        restartOnFailure: async () => false,
      },
    })
  }

  async start(): Promise<void> {
    const consumer = this.#consumer
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    } catch (error) {
      throw classify(error, this.#options.topics.length === 1 ? this.#options.topics[0] : undefined)
    }
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.group_join', ({ payload }) => {
        this.#started = true
        this.#joinings++
        this.#options.joined(
          Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
            partitions.map((partition) => ({ topic, partition })),
          ),
        )
        resolve()
      })
      // Its own event for a fetch comes after failed ones too.
      consumer.on('consumer.network.request', ({ payload }) => {
        if (payload.apiName === 'Fetch' || payload.apiName === 'Heartbeat') this.#options.answered()
      })
      consumer.on('consumer.crash', ({ payload }) => {
        this.#client.cut()
        const error = classify(payload.error)
        if (this.#started) this.#options.crashed(error)
        else reject(error)
      })
      consumer
        .run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: this.#options.concurrency,
          eachBatch: (payload) => this.#eachBatch(payload),
        })
        .catch((error: unknown) => reject(classify(error)))
    })
  }

  pause(places: readonly TopicPartition[]): void {
    this.#whileRunning(() => this.#consumer.pause(byTopic(places)))
  }

  resume(places: readonly TopicPartition[]): void {
    this.#whileRunning(() => this.#consumer.resume(byTopic(places)))
  }

  seek({ topic, partition, offset }: PartitionPosition): void {
    this.#whileRunning(() => this.#consumer.seek({ topic, partition, offset: String(offset) }))
  }

  async close(): Promise<void> {
    try {
      await this.#consumer.disconnect()
    } finally {
      this.#client.cut()
    }
  }

  abandon(): void {
    this.#client.cut()
    // Ends its loops; there is nobody left to tell.
    this.#consumer.disconnect().catch(() => {})
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    // Whatever is thrown into kafkajs stops it for good or repeats without an end, but this one error, which it
    // understands as "join again".
    const batch = new KafkajsBatch(payload, this.#options.group, this.#isCurrent(payload))
    if ((await this.#options.handle(batch)) === 'rejoin') throw joinAgain()
  }

  /** Whether it was asked for under the assignment that holds now; what cannot be told counts as that. */
  #isCurrent({ batch }: EachBatchPayload): boolean {
    const records = property(batch, 'rawMessages')
    const joining = typeof records === 'object' && records !== null ? this.#askedUnder.get(records) : undefined
    return joining === undefined || joining === this.#joinings
  }

  /** kafkajs refuses these while it stops or has stopped, when they no longer matter. */
  #whileRunning(step: () => void): void {
    try {
      step()
    } catch {}
  }

  /**
   * The cluster is what kafkajs gives to assigners. Some of its steps are ours: finding the coordinator, which is how each
   * joining of the group begins, and the offset that replaces one that is out of range, which kafkajs would commit in
   * place of the true one and so wipe out the only trace of the records that are gone.
   */
  #meet(cluster: Cluster): void {
    this.#cluster = cluster
    const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (group) => {
      await this.#options.beforeJoin()
      return findGroupCoordinator(group)
    }
    // Without any broker left, kafkajs stops for good at once; the last one it had is as good a place to look as any.
    const removeBroker = cluster.removeBroker.bind(cluster)
    cluster.removeBroker = (place) => {
      if (cluster.getNodeIds().length > 1) removeBroker(place)
    }
    const findBroker = cluster.findBroker.bind(cluster)
    cluster.findBroker = async (node) => {
      // kafkajs has chosen the positions by now, and the group may be joined anew while the answer is under way.
      const joining = this.#joinings
      return this.#bounded(await findBroker(node), joining)
    }
    const defaultOffset = cluster.defaultOffset.bind(cluster)
    cluster.defaultOffset = (config) => {
      const place = this.#outOfRange
      this.#outOfRange = undefined
      if (place === undefined) return defaultOffset(config)
      return Number(this.#options.outOfRange(place, this.#committedOffset(place)))
    }
  }

  /** The broker, asked for no more than there is room, with a note on its records of the joining under which they were asked for. */
  #bounded(broker: Broker, joining: number): Broker {
    const fetch: Broker['fetch'] = async (request) => {
      // A joining that fails by a lost connection is dropped by kafkajs, which goes on to fetch as if it had not begun.
      if (this.#options.mustJoin()) throw joinAgain()
      const room = await this.#options.roomBytes()
      if (room === 0) return nothing
      // Every broker is asked at once, each for its share.
      const share = Math.ceil(room / Math.max(1, this.#cluster?.getNodeIds().length ?? 1))
      const answer = await broker.fetch(boundedFetch(request, share, this.#fetches++))
      for (const { partitions } of answer.responses)
        for (const { messages } of partitions) this.#askedUnder.set(messages, joining)
      return answer
    }
    return new Proxy(broker, {
      get: (target, name) => (name === 'fetch' ? fetch : Reflect.get(target, name, target)),
    })
  }

  #watch({ namespace, log }: LogEntry): void {
    // The one place where kafkajs tells which partition it is about to move.
    if (namespace !== 'ConsumerGroup' || !log.message.startsWith('Offset out of range, resetting')) return
    const place = { topic: String(log.topic), partition: Number(log.partition) }
    this.pause([place])
    this.#outOfRange = place
  }

  /** What kafkajs remembers as committed; -1 when it cannot be told. Not in its types, so looked at with care. */
  #committedOffset({ topic, partition }: TopicPartition): bigint {
    // An object of any shape, of which each step is checked.
    const cluster = this.#cluster as { committedOffsets?: (group: { groupId: string }) => unknown } | undefined
    const topics = cluster?.committedOffsets?.({ groupId: this.#options.group })
    const offset = property(property(topics, topic), String(partition))
    return typeof offset === 'string' && /^\d+$/.test(offset) ? BigInt(offset) : -1n
  }
}

class KafkajsBatch implements DriverBatch {
  readonly topic: string
  readonly partition: number
  readonly deliveries: readonly Delivery[]
  readonly end: bigint
  readonly highWatermark: bigint
  readonly bytes: number
  readonly #payload: EachBatchPayload
  readonly #isCurrent: boolean

  constructor(payload: EachBatchPayload, group: string, isCurrent: boolean) {
    const { topic, partition, messages, highWatermark } = payload.batch
    this.#payload = payload
    this.#isCurrent = isCurrent
    this.topic = topic
    this.partition = partition
    this.bytes = messages.reduce(
      (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0) + besidesBytes,
      0,
    )
    this.deliveries = messages.map((record) => new KafkajsDelivery(record, topic, partition, group))
    this.end = BigInt(payload.batch.lastOffset()) + 1n
    this.highWatermark = BigInt(highWatermark)
  }

  isStale(): boolean {
    return !this.#isCurrent || this.#payload.isStale()
  }

  advance(next: bigint): void {
    try {
      this.#payload.resolveOffset(String(next - 1n))
    } catch {
      // kafkajs stumbles over a topic that has just left the assignment; its position is for others to keep.
    }
  }

  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    const topics = new Map<string, TopicOffsets['partitions']>()
    for (const { topic, partition, offset } of positions) {
      const partitions = topics.get(topic) ?? []
      partitions.push({ partition, offset: String(offset) })
      topics.set(topic, partitions)
    }
    try {
      await this.#payload.commitOffsetsIfNecessary({
        topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })),
      })
    } catch (error) {
      if (isMembershipLost(error)) throw new MembershipLostError('the group has moved on', { cause: error })
      throw classify(error)
    }
  }

  async heartbeat(): Promise<void> {
    await this.#payload.heartbeat()
  }
}

/** kafkajs looks at the type alone; its own classes are not among what an ES module can import by name. */
function joinAgain(): Error {
  return Object.assign(new Error('the assignment is void; joining the group again'), { type: 'REBALANCE_IN_PROGRESS' })
}

function byTopic(places: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of places) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }))
}

function property(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null) return undefined
  return Object.getOwnPropertyDescriptor(object, name)?.value
}
