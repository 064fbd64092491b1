/** A member of a group with retry topics, in a process of its own, so that it can die at a named step. */
import { createConsumer, createProducer, silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createRetryTopics, deadLetterTopic } from '@evtkit/sdk/retry'
import { handledOf, steppedOf, tiers } from './stepped.ts'

const { KAFKA_BROKERS = '', GROUP = '' } = process.env
const kafka = createKafka({
  brokers: KAFKA_BROKERS.split(','),
  logger: silentLogger,
  sessionTimeoutMs: 6000,
  heartbeatIntervalMs: 500,
  fetchMaxWaitMs: 100,
  commitIntervalMs: 50,
})
const producer = createProducer({ sender: kafka, source: GROUP })
const consumer = createConsumer({
  source: kafka,
  group: GROUP,
  rejected: deadLetterTopic({ sender: kafka }),
  failed: createRetryTopics({ transport: kafka, tiers }),
  retry: { attempts: 1 },
  logger: silentLogger,
}).on(steppedOf(GROUP), async ({ data }, { delivery }) => {
  if (delivery.attempt <= data.failures) throw new Error(`attempt ${delivery.attempt} fails on purpose`)
  await producer.publish(handledOf(GROUP), data)
})
await consumer.start()

process.once('SIGTERM', () => {
  void consumer.close().then(() => kafka.close())
})
