import { createProducer } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { runCallers } from '../callers.ts'
import type { BenchmarkCase } from '../case.ts'
import { defineOrderPlaced, defineOrderTopic, order } from '../order-event.ts'
import type { Servers } from '../servers.ts'
import { drainByRelay } from './outbox-drain.ts'
import { fillOutbox, type OutboxWorld } from './outbox-world.ts'

const callers = 1000

/** Emptying a full outbox into Kafka, against publishing to it without an outbox. */
export async function outboxToBroker(
  world: OutboxWorld,
  servers: Servers,
  rows: number,
): Promise<{ readonly benchmark: BenchmarkCase; close(): Promise<void> }> {
  const topic = defineOrderTopic(`benchmark-relay-${process.pid}`)
  const OrderPlaced = defineOrderPlaced(topic)
  const kafka = createKafka({ brokers: await servers.brokers() })
  await kafka.createTopics([topic])
  const producer = createProducer({ sender: kafka, source: 'benchmark' })
  return {
    benchmark: {
      name: 'outbox/relay-to-broker',
      contenders: [
        {
          name: `publish, ${callers} callers`,
          run: (round) => runCallers(callers, round, (n) => producer.publish(OrderPlaced, order(n))),
        },
        {
          name: 'relay',
          async run() {
            await fillOutbox(world, OrderPlaced, rows)
            return drainByRelay(world, rows, kafka)
          },
        },
      ],
      targets: [{ contender: 'relay', measure: 'ratio', atLeast: 0.8 }],
    },
    async close() {
      await kafka.deleteTopics([topic.name])
      await kafka.close()
    },
  }
}
