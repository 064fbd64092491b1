import type { Admin, Cluster } from 'kafkajs'
import type { Clock } from '../core/clock.ts'
import { BrokerRefusedError, BrokerUnavailableError, UnknownTopicError } from '../core/errors.ts'
import type { TopicDetails } from '../core/topic.ts'
import type { PartitionOffsets, TopicChanges } from '../core/transport.ts'
import type { ClusterDescription, DriverAdmin, NewTopic, PartitionPosition, TopicDescription } from './driver.ts'
import { KafkajsClient, type KafkajsClientOptions } from './kafkajs-client.ts'
import { classify, isAlreadyThere, isMembershipLost } from './kafkajs-errors.ts'
import { brokerSettings, changeTopic, readTopics } from './kafkajs-topic-settings.ts'

/** Topics in which brokers keep what they must remember. */
const brokersOwn = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state', '__cluster_metadata'])

export interface KafkajsAdminOptions extends KafkajsClientOptions {
  readonly clock: Clock
}

/** How many times a request and a connection may time out within one call. */
const timeouts = 5

/**
 * Administration by kafkajs. Each call has a client of its own: one that lives long remembers every topic it was ever
 * asked for, and fails for all of them when one was deleted.
 */
export class KafkajsAdmin implements DriverAdmin {
  readonly #options: KafkajsAdminOptions

  constructor(options: KafkajsAdminOptions) {
    this.#options = options
  }

  async describeTopic(name: string): Promise<TopicDescription | undefined> {
    try {
      return await this.#run(async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
        const found = topics.find((topic) => topic.name === name)
        if (found === undefined || found.partitions.length === 0)
          throw new BrokerUnavailableError(`nothing is known of the partitions of topic "${name}" yet`)
        return { name, partitions: found.partitions.length }
      }, name)
    } catch (error) {
      if (error instanceof UnknownTopicError) return undefined
      throw error
    }
  }

  listTopics(): Promise<readonly TopicDescription[]> {
    return this.#run(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata()
      return topics
        .filter(({ name }) => !brokersOwn.has(name))
        .map(({ name, partitions }) => ({ name, partitions: partitions.length }))
    })
  }

  createTopics(topics: readonly NewTopic[]): Promise<void> {
    return this.#run(async (admin) => {
      for (const { name, partitions, replicationFactor, retentionMs, cleanup } of topics) {
        try {
          await admin.createTopics({
            waitForLeaders: false,
            topics: [
              {
                topic: name,
                numPartitions: partitions,
                replicationFactor,
                configEntries: brokerSettings({ retentionMs, cleanup }),
              },
            ],
          })
        } catch (error) {
          if (!isAlreadyThere(error)) throw classify(error, name)
        }
      }
    })
  }

  topicDetails(names: readonly string[]): Promise<readonly TopicDetails[]> {
    return this.#run((admin) => readTopics(admin, names))
  }

  async growTopic(name: string, count: number): Promise<void> {
    await this.#run((admin) => admin.createPartitions({ topicPartitions: [{ topic: name, count }] }), name)
  }

  configureTopic(name: string, changes: TopicChanges): Promise<void> {
    return this.#run((admin) => changeTopic(admin, name, changes), name)
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#run(async (admin) => {
      const { clusterId, brokers } = await admin.describeCluster()
      return { clusterId, brokers: brokers.map(({ host, port }) => `${host}:${port}`) }
    })
  }

  deleteTopics(names: readonly string[]): Promise<void> {
    return this.#run((admin) => admin.deleteTopics({ topics: [...names] }), names.join(', '))
  }

  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.#run(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
        .sort((a, b) => a.partition - b.partition)
    }, topic)
  }

  deleteRecords({ topic, partition, offset }: PartitionPosition): Promise<void> {
    return this.#run(async (admin) => {
      // kafkajs looks for the leader only among topics it has been asked about before.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
    }, topic)
  }

  listGroups(): Promise<readonly string[]> {
    return this.#run(async (admin) => {
      const { groups } = await admin.listGroups()
      return groups.map(({ groupId }) => groupId)
    })
  }

  members(group: string): Promise<number> {
    return this.#run(async (admin) => {
      const { groups } = await admin.describeGroups([group])
      return groups.find(({ groupId }) => groupId === group)?.members.length ?? 0
    })
  }

  committed(group: string, topic: string): Promise<readonly PartitionPosition[]> {
    return this.#run(async (admin) => {
      const topics = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      const found = topics.find((candidate) => candidate.topic === topic)?.partitions ?? []
      return found
        .map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) }))
        .filter(({ offset }) => offset >= 0n)
        .sort((a, b) => a.partition - b.partition)
    }, topic)
  }

  async setOffsets(group: string, positions: readonly PartitionPosition[]): Promise<void> {
    const client = new KafkajsClient(this.#options)
    let met: Cluster | undefined
    // kafkajs would set them by joining the group with a consumer of its own, which takes five seconds. A commit by
    // nobody in particular is what the broker means for this, and it refuses that while the group has members.
    const consumer = client.kafka.consumer({
      groupId: group,
      allowAutoTopicCreation: false,
      partitionAssigners: [
        ({ cluster }) => {
          met = cluster
          return unused
        },
      ],
    })
    try {
      await consumer.connect()
      if (met === undefined) throw new BrokerUnavailableError('the client did not connect')
      await met.refreshMetadata()
      const coordinator = await met.findGroupCoordinator({ groupId: group })
      const topics = [...new Set(positions.map(({ topic }) => topic))]
      await coordinator.offsetCommit({
        groupId: group,
        groupGenerationId: -1,
        memberId: '',
        topics: topics.map((topic) => ({
          topic,
          partitions: positions
            .filter((position) => position.topic === topic)
            .map(({ partition, offset }) => ({ partition, offset: String(offset) })),
        })),
      })
    } catch (error) {
      if (isMembershipLost(error))
        throw new BrokerRefusedError(
          `group "${group}" has members; its offsets can be set only while it has none. Close its consumers first.`,
          { cause: error },
        )
      throw classify(error, positions[0]?.topic)
    } finally {
      await consumer.disconnect().catch(() => {})
      client.cut()
    }
  }

  async #run<Result>(step: (admin: Admin) => Promise<Result>, topic?: string): Promise<Result> {
    const client = new KafkajsClient(this.#options)
    const admin = client.kafka.admin({ retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 3 } })
    const { clock, requestTimeoutMs, connectionTimeoutMs } = this.#options
    // kafkajs goes by the time of day: when that is set back, it waits for an answer that was lost until it has come again.
    const overdue = clock.after((requestTimeoutMs + connectionTimeoutMs) * timeouts, () => client.cut())
    try {
      await admin.connect()
      return await step(admin)
    } catch (error) {
      throw classify(error, topic)
    } finally {
      overdue.cancel()
      await admin.disconnect().catch(() => {})
      client.cut()
    }
  }
}

/** An assigner for a consumer that never joins. */
const unused = {
  name: 'unused',
  version: 0,
  protocol: () => ({ name: 'unused', metadata: Buffer.alloc(0) }),
  assign: async () => [],
}
