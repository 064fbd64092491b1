import { randomUUID } from 'node:crypto'
import { ConfigResourceTypes, ConfigSource, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { BrokerRefusedError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { createKafka } from './kafka-transport.ts'

const brokers = inject('kafkaBrokers').split(',')
const topic = `settings-${randomUUID()}`
const kafka = createKafka({ brokers, logger: silentLogger })
const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()

beforeAll(() => admin.connect())
afterAll(async () => {
  await admin.disconnect()
  await kafka.deleteTopics([topic])
  await kafka.close()
})

const ownSettings = async () => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  })
  const entries = resources[0]?.configEntries ?? []
  return Object.fromEntries(
    entries
      .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)
      .map(({ configName, configValue }) => [configName, configValue]),
  )
}

test('changing one setting of a topic leaves those alone that somebody else has set', async () => {
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        numPartitions: 1,
        configEntries: [
          { name: 'max.message.bytes', value: '2000000' },
          { name: 'segment.ms', value: '3600000' },
          { name: 'retention.ms', value: '60000' },
        ],
      },
    ],
  })
  await kafka.configureTopic(topic, { retentionMs: 120_000 })
  await expect
    .poll(ownSettings, { timeout: 10_000 })
    .toEqual({ 'max.message.bytes': '2000000', 'segment.ms': '3600000', 'retention.ms': '120000' })
})

test('a cluster that has no room for as many copies says so', async () => {
  const many = { name: `${topic}-many`, partitions: 1, retentionMs: -1, replicas: 7 }
  await expect(kafka.createTopics([many])).rejects.toThrow(BrokerRefusedError)
})

test('the cluster tells who it is and which brokers it has', async () => {
  const { clusterId, brokers: found } = await kafka.describeCluster()
  expect(clusterId).not.toBe('')
  expect(found.length).toBeGreaterThan(0)
})
