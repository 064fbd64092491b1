/** The ports that every transport implements, and the abilities that only some have. */
import type { Delivery, RawMessage } from './message.ts'
import type { NewTopic, TopicCleanup, TopicDetails } from './topic.ts'

/** Takes messages durably. Kafka, the memory broker and an outbox bound to a transaction are Senders. */
export interface Sender {
  /**
   * Resolves when every message is durable: acknowledged by all in-sync replicas, or part of the transaction.
   * Messages of one topic and key are appended in the order given, also across calls that do not wait for each other.
   * When one fails, those behind it of its topic and key in the same call are held back and fail too.
   *
   * @throws SendFailedError which names each message that was not acknowledged; all others are durable.
   */
  send(messages: readonly RawMessage[]): Promise<void>
}

/** Hands out deliveries. A Kafka subscription, the memory broker and a replay are Sources. */
export interface Source {
  /**
   * Joins `group` and hands over records until the subscription is closed. Resolves once the subscription is under way;
   * a broker that is not there is waited for, with a status for each attempt.
   *
   * @throws InvalidConfigurationError when the options can never work.
   */
  subscribe(options: SubscribeOptions): Promise<Subscription>
}

export interface SubscribeOptions {
  readonly group: string
  /** One topic set per group: all members of a group subscribe to the same topics. */
  readonly topics: readonly string[]
  /**
   * Handles the next records of one partition. Never called again for a partition before it resolved; different
   * partitions may be handled at once. A rejection counts as "nothing more was finished" and is handed over again.
   */
  readonly handle: (batch: Batch) => Promise<Verdict>
  /**
   * How long a batch may show no progress (neither `settle` nor a verdict) before the source stops vouching for this
   * member, so that another may take the partition over. Milliseconds.
   */
  readonly stallMs: number
  readonly onStatus: (status: SourceStatus) => void
  /**
   * Most bytes handed over and not finished, over all partitions of this member: while there are as many, nothing more is
   * fetched. One fetch may go beyond it by what the log hands out at least. @default 67108864 (64 MiB)
   */
  readonly maxInFlightBytes?: number
  /** The same in records. @default 100000 */
  readonly maxInFlightRecords?: number
  /** Ends the attempts to subscribe. */
  readonly signal?: AbortSignal
}

/** Records of one partition, in the order of its log. */
export interface Batch {
  readonly topic: string
  readonly partition: number
  /** Grows with every assignment of partitions to this member: what was remembered under an older one is void. */
  readonly generation: number
  /** Never empty. */
  readonly deliveries: readonly Delivery[]
  /** Offset that the next record appended to the partition will get. */
  readonly highWatermark: bigint
  /** Aborted when the partition is about to be taken away or the subscription closes: finish what runs, start nothing. */
  readonly signal: AbortSignal
  /** Tells that every record below `next` is finished. The source commits at its own pace, never beyond the last word. */
  settle(next: bigint): void
}

/** What became of a batch. */
export interface Verdict {
  /** Every record below is finished. */
  readonly next: bigint
  /**
   * When `next` is not the end of the batch: pause this partition and hand over again from `next` after this long.
   * The member stays in its group meanwhile. Milliseconds; 0 for at once.
   */
  readonly retryInMs: number
}

/** How a subscription is doing, for readiness and for logs. */
export type SourceStatus =
  | { readonly state: 'connecting'; readonly attempt: number; readonly error?: Error }
  | {
      readonly state: 'running'
      readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
    }
  | { readonly state: 'rebalancing' }
  | { readonly state: 'unavailable'; readonly error: Error }
  /** Records are gone between the committed offset and the log; that partition stays paused until someone decides. */
  | { readonly state: 'gap'; readonly error: Error }

export interface Subscription extends Seekable {
  /**
   * Stops fetching, lets running records finish, commits what is finished, and leaves the group.
   * Must not be awaited from inside a handler.
   *
   * @throws CloseDeadlineError when records still run after `deadlineMs`; they are abandoned, uncommitted.
   */
  close(deadlineMs: number): Promise<void>
}

/** Moves the position of a partition that this member owns. */
export interface Seekable {
  seek(position: { readonly topic: string; readonly partition: number; readonly offset: bigint }): Promise<void>
}

/** First and next offset of a partition. */
export interface PartitionOffsets {
  readonly partition: number
  /** Offset of the oldest record still there. */
  readonly low: bigint
  /** Offset that the next record will get. */
  readonly high: bigint
}

/** Settings of a topic to change. */
export interface TopicChanges {
  /** Milliseconds; -1 for ever. What is older may be deleted at once. */
  readonly retentionMs?: number
  readonly cleanup?: TopicCleanup
}

/** Makes and looks at topics. */
export interface TopicAdmin {
  /** Creates the topics that do not exist yet; existing ones are left as they are. Resolves when all can be written to. */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  deleteTopics(names: readonly string[]): Promise<void>
  listTopics(): Promise<readonly { readonly name: string; readonly partitions: number }[]>
  /** How topics are set up, in the order of `names`; those that do not exist are left out. */
  describeTopics(names: readonly string[]): Promise<readonly TopicDetails[]>
  /**
   * Adds partitions until there are `partitions`. Records stay where they are, and from then on most keys belong to another
   * partition than before. Resolves when all can be written to.
   *
   * @throws UnknownTopicError
   * @throws BrokerRefusedError when there are as many already, or more
   */
  growTopic(name: string, partitions: number): Promise<void>
  /**
   * Changes what is named. Every other setting of the topic keeps its value, also those that this port does not know.
   *
   * @throws UnknownTopicError
   */
  configureTopic(name: string, changes: TopicChanges): Promise<void>
  /** @throws UnknownTopicError */
  offsets(topic: string): Promise<readonly PartitionOffsets[]>
  /** Deletes every record below `before`. */
  deleteRecords(topic: string, partition: number, before: bigint): Promise<void>
}

/** Looks at consumer groups and moves their offsets. */
export interface GroupAdmin {
  listGroups(): Promise<readonly string[]>
  /** Number of members at the moment; 0 for an empty or unknown group. */
  members(group: string): Promise<number>
  /** Committed offset per partition; partitions without one are left out. */
  committed(group: string, topic: string): Promise<readonly { readonly partition: number; readonly offset: bigint }[]>
  /** Refused while the group has members. */
  setOffsets(
    group: string,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: bigint }[],
  ): Promise<void>
}

/** Both ends in one thing that is opened and closed. */
export interface Transport extends Sender, Source, TopicAdmin, GroupAdmin {
  /** Waits for sends under way, closes subscriptions and connections. */
  close(deadlineMs?: number): Promise<void>
}
