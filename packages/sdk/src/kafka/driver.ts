/**
 * What this room needs of a Kafka client, in our own words. One set of files per client implements it; nothing else in
 * the room knows which client it is. Every rejection is an error of `core/errors.ts`, or the one below.
 */
import type { UnreadableBatchError } from '../core/errors.ts'
import type { Delivery, RawMessage } from '../core/message.ts'
import type { TopicCleanup, TopicDetails } from '../core/topic.ts'
import type { PartitionOffsets, TopicChanges } from '../core/transport.ts'

export interface Driver {
  readonly admin: DriverAdmin
  /**
   * A new producer, not connected yet. `after` is the identity of the one it replaces: it goes on under the same id and a
   * higher epoch, so that what of the old one is still on its way is refused wherever the new one has written.
   *
   * @default an identity of its own
   */
  producer(after?: ProducerIdentity): DriverProducer
  /** A new consumer, not connected yet. */
  consumer(options: DriverConsumerOptions): DriverConsumer
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionPosition extends TopicPartition {
  readonly offset: bigint
}

/** Messages of one partition, in the order in which they must be appended. */
export interface PartitionMessages extends TopicPartition {
  readonly messages: readonly RawMessage[]
}

/** What the broker said of one partition of a request. */
export interface PartitionAnswer extends TopicPartition {
  readonly errorCode: number
}

/** By what the broker knows a producer. A partition that has seen an epoch of an id refuses the earlier ones. */
export interface ProducerIdentity {
  readonly id: string
  readonly epoch: number
}

/**
 * An idempotent producer with one identity at the broker. Never has two sends at once, and is abandoned after the first
 * rejected one: what it would send next could carry numbers that the broker already knows, and would be lost.
 */
export interface DriverProducer {
  /** Known once it has connected. */
  readonly identity?: ProducerIdentity | undefined
  connect(): Promise<void>
  /** Resolves with an answer for each partition the request reached; a partition may be missing from it. */
  send(chunks: readonly PartitionMessages[]): Promise<readonly PartitionAnswer[]>
  /** Leaves in good order. */
  close(): Promise<void>
  /** Cuts every connection at once and makes no new one, so that nothing is written behind our back. */
  abandon(): void
}

/** The broker no longer takes this consumer for a member of its group, or is about to take partitions away. */
export class MembershipLostError extends Error {
  override readonly name = 'MembershipLostError'
}

/** Records of one partition as they were fetched. */
export interface DriverBatch extends TopicPartition {
  /** Never empty. */
  readonly deliveries: readonly Delivery[]
  /** Offset after the batch, behind control records that nobody sees. */
  readonly end: bigint
  readonly highWatermark: bigint
  /** Bytes of all records, as far as they were read. */
  readonly bytes: number
  /** Whether the partition was moved, or handed out anew, since this was asked for. Holds when it is handed over. */
  isStale(): boolean
  /** Moves the position from which is fetched next. */
  advance(next: bigint): void
  /** Usable until the next assignment, also after the batch. @throws MembershipLostError */
  commit(positions: readonly PartitionPosition[]): Promise<void>
  /** Any rejection means that the partitions may go to somebody else. */
  heartbeat(): Promise<void>
}

export interface DriverConsumerOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** How long other members wait for this one when partitions are handed out anew. Milliseconds. */
  readonly rebalanceTimeoutMs: number
  /**
   * Asked before each fetch: how many bytes may be taken in. Waits a little when there is no room; 0 when there still is
   * none, and then nothing is fetched.
   */
  roomBytes(): Promise<number>
  /** How many partitions may be handled at once. */
  readonly concurrency: number
  /** Handles a batch, and tells whether to go on or to join the group again. Must not reject. */
  handle(batch: DriverBatch): Promise<'continue' | 'rejoin'>
  /** Awaited before each joining of the group: the last moment at which the old assignment still holds. */
  beforeJoin(): Promise<void>
  /** Whether a joining began and did not come about. Asked before each fetch: if so, the group is joined instead. */
  mustJoin(): boolean
  joined(partitions: readonly TopicPartition[]): void
  /** A broker answered a fetch or a heartbeat. */
  answered(): void
  /**
   * The log no longer holds the position of a partition, which was paused before anything was read. `position` is where
   * it stood, as far as the client knows; what is returned is kept as the committed offset.
   */
  outOfRange(place: TopicPartition, position: bigint): bigint
  /** The next batch of a partition cannot be unpacked. The partition was paused before anything of it was read. */
  unreadable(error: UnreadableBatchError): void
  /** The consumer stopped for good and has left its connections. */
  crashed(error: Error): void
}

export interface DriverConsumer {
  /** Resolves when the group was joined for the first time. */
  start(): Promise<void>
  pause(places: readonly TopicPartition[]): void
  resume(places: readonly TopicPartition[]): void
  seek(position: PartitionPosition): void
  /** Fetches no more, waits for the batches under way without a limit, leaves the group. */
  close(): Promise<void>
  /** Cuts every connection at once; the group notices when the session times out. */
  abandon(): void
}

/** What is known of a topic at the moment. */
export interface TopicDescription {
  readonly name: string
  readonly partitions: number
}

export interface NewTopic extends TopicDescription {
  readonly replicationFactor: number
  readonly retentionMs: number
  readonly cleanup: TopicCleanup
}

/** Who answers for the cluster at the moment. */
export interface ClusterDescription {
  readonly clusterId: string
  readonly brokers: readonly string[]
}

/** Each call stands for itself: it opens what it needs and closes it again. */
export interface DriverAdmin {
  /** `undefined` when there is no such topic. @throws BrokerUnavailableError also while it has no leader */
  describeTopic(name: string): Promise<TopicDescription | undefined>
  listTopics(): Promise<readonly TopicDescription[]>
  describeCluster(): Promise<ClusterDescription>
  /** Those that exist are left as they are. */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** Those that exist, in the order of `names`. */
  topicDetails(names: readonly string[]): Promise<readonly TopicDetails[]>
  growTopic(name: string, partitions: number): Promise<void>
  /** Settings that are not named keep their values. */
  configureTopic(name: string, changes: TopicChanges): Promise<void>
  deleteTopics(names: readonly string[]): Promise<void>
  offsets(topic: string): Promise<readonly PartitionOffsets[]>
  deleteRecords(position: PartitionPosition): Promise<void>
  listGroups(): Promise<readonly string[]>
  members(group: string): Promise<number>
  committed(group: string, topic: string): Promise<readonly PartitionPosition[]>
  /** @throws BrokerRefusedError while the group has members */
  setOffsets(group: string, positions: readonly PartitionPosition[]): Promise<void>
}
