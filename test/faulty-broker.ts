/** A real Kafka behind a fault proxy, with the plain client and ours in front of it, for tests that compare the two. */
import { type FaultProxy, type KafkaServer, startKafka } from '@evtkit/local-stack'
import {
  type Admin,
  type ConsumerConfig,
  Kafka,
  logLevel,
  Partitioners,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { silentLogger } from '../packages/sdk/src/core/logger.ts'
import type { RawMessage } from '../packages/sdk/src/core/message.ts'
import type { SourceStatus, SubscribeOptions, Subscription } from '../packages/sdk/src/core/transport.ts'
import type { KafkaOptions } from '../packages/sdk/src/kafka/kafka-options.ts'
import { createKafka, type KafkaTransport } from '../packages/sdk/src/kafka/kafka-transport.ts'

export interface FaultyBroker {
  readonly server: KafkaServer
  readonly proxy: FaultProxy
  /** Of a client that is not disturbed. */
  readonly admin: Admin
  /** A new topic of this test. */
  topic(partitions?: number): Promise<string>
  /** Kafkajs with its retries as they come, waiting not quite as long. Ended after the test. */
  plain(): Kafka
  plainProducer(config?: ProducerConfig): Promise<Producer>
  plainConsumer(config: ConsumerConfig): ReturnType<Kafka['consumer']>
  /** Ours. Closed after the test. */
  ours(options?: Partial<KafkaOptions>): KafkaTransport
  /** All values of a topic in the order of its partition 0, as Kafka's own tool reads them. */
  log(topic: string): Promise<(string | null)[]>
  /** Committed offset of partition 0 as the broker holds it; `-1` for none. */
  committed(group: string, topic: string): Promise<string | undefined>
}

/** Starts the broker for the tests of this file, and takes the faults away after each. */
export function withFaultyBroker(): () => FaultyBroker {
  let stage: FaultyBroker
  const ends: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    const server = await startKafka({
      proxy: true,
      progress: () => {},
      settings: {
        'group.min.session.timeout.ms': '500',
        'broker.session.timeout.ms': '1500',
        'broker.heartbeat.interval.ms': '300',
      },
    })
    const { proxy } = server
    if (proxy === undefined) throw new Error('the broker was started without its proxy')
    const undisturbed = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } })
    const admin = undisturbed.admin()
    await admin.connect()
    stage = build(server, proxy, admin, ends)
  }, 120_000)
  afterEach(async () => {
    stage.proxy.heal()
    await Promise.allSettled(ends.splice(0).map((end) => end()))
  })
  afterAll(async () => {
    await stage?.admin.disconnect()
    await stage?.server.stop()
  })
  return () => stage
}

function build(server: KafkaServer, proxy: FaultProxy, admin: Admin, ends: (() => Promise<unknown>)[]): FaultyBroker {
  let topics = 0
  const plain = () =>
    new Kafka({
      brokers: [...server.proxiedBrokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: 1000,
      retry: { initialRetryTime: 50, maxRetryTime: 200 },
    })
  return {
    server,
    proxy,
    admin,
    plain,
    async topic(partitions = 1) {
      const topic = `under-fault-${++topics}`
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
      return topic
    },
    async plainProducer(config = {}) {
      const producer = plain().producer({ createPartitioner: Partitioners.DefaultPartitioner, ...config })
      ends.push(() => producer.disconnect())
      await producer.connect()
      return producer
    },
    plainConsumer(config) {
      const consumer = plain().consumer({
        ...{ sessionTimeout: 6000, heartbeatInterval: 200, maxWaitTimeInMs: 100 },
        ...config,
      })
      ends.push(() => consumer.disconnect())
      return consumer
    },
    ours(options = {}) {
      const kafka = createKafka({
        brokers: server.proxiedBrokers,
        logger: silentLogger,
        requestTimeoutMs: 1000,
        sessionTimeoutMs: 6000,
        heartbeatIntervalMs: 200,
        fetchMaxWaitMs: 100,
        commitIntervalMs: 50,
        metadataMaxAgeMs: 1000,
        ...options,
      })
      ends.push(() => kafka.close(3000))
      return kafka
    },
    async log(topic) {
      return (await server.dump(topic)).filter(({ partition }) => partition === 0).map(({ value }) => value)
    },
    async committed(group, topic) {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      return found?.partitions.find(({ partition }) => partition === 0)?.offset
    },
  }
}

/** Ours to send, all of one key. */
export const raw = (topic: string, ...values: string[]): RawMessage[] =>
  values.map((value) => ({ topic, key: Buffer.from('k'), value: Buffer.from(value), headers: [] }))

/** Plain kafkajs's to send, all into partition 0. */
export const record = (topic: string, ...values: string[]) => ({
  topic,
  messages: values.map((value) => ({ value, partition: 0 })),
})

/** In the order in which each was seen first. */
export const firstCopies = <T>(values: readonly T[]): T[] => [...new Set(values)]

export interface Reading {
  readonly subscription: Subscription
  /** Values that were handled to the end. */
  readonly values: string[]
  readonly statuses: SourceStatus[]
}

/** Reads with ours; `each` may throw, and then the record is handed over again. */
export async function readWithOurs(
  kafka: KafkaTransport,
  options: Pick<SubscribeOptions, 'group' | 'topics'> & Partial<SubscribeOptions>,
  each: (value: string) => unknown = () => {},
): Promise<Reading> {
  const values: string[] = []
  const statuses: SourceStatus[] = []
  const subscription = await kafka.subscribe({
    stallMs: 20_000,
    onStatus: (status) => statuses.push(status),
    handle: async ({ deliveries, signal }) => {
      let next = deliveries[0]?.offset ?? 0n
      for (const { message, offset } of deliveries) {
        if (signal.aborted) break
        const value = String(message.value)
        await each(value)
        values.push(value)
        next = offset + 1n
      }
      return { next, retryInMs: 0 }
    },
    ...options,
  })
  return { subscription, values, statuses }
}
