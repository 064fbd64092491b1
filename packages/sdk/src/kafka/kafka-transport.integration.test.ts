/** Kafka keeps every promise of a transport; the broker's own log is the judge. */
import { API_KEYS, type KafkaServer, startKafka } from '@evtkit/local-stack'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { type ConformanceHarness, describeConformance, transportConformance } from '../testing/index.ts'
import { createKafka } from './kafka-transport.ts'

const sessionMs = 2000
let kafka: KafkaServer
let topics = 0

beforeAll(async () => {
  kafka = await startKafka({
    proxy: true,
    progress: () => {},
    settings: { 'group.min.session.timeout.ms': '500' },
  })
})

afterAll(async () => {
  await kafka?.stop()
})

const harness: ConformanceHarness = {
  abilities: new Set(['lose-responses'] as const),
  sessionMs,
  patienceMs: 20_000,
  open: async () =>
    createKafka({
      brokers: kafka.proxiedBrokers,
      logger: silentLogger,
      requestTimeoutMs: 1000,
      sessionTimeoutMs: sessionMs,
      heartbeatIntervalMs: 300,
      fetchMaxWaitMs: 100,
      commitIntervalMs: 100,
    }),
  topicName: (hint) => `${hint}-${++topics}`,
  dump: (topic) => kafka.dump(topic),
  loseNextProduceResponse() {
    kafka.proxy?.dropResponse(API_KEYS.Produce)
  },
}

describeConformance({ describe, test }, 'Kafka', transportConformance, harness)
