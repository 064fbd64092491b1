/** Publishing: callers that each wait for their acknowledgement, against plain kafkajs. */
import { createProducer } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { Partitioners } from 'kafkajs'
import { runCallers } from '../callers.ts'
import type { BenchmarkCase, Suite } from '../case.ts'
import { defineOrderPlaced, defineOrderTopic, order, payloadBytes } from '../order-event.ts'
import { recordBytes, recordOf } from '../order-record.ts'

const targets = new Map([
  [1, 0.9],
  [64, 3.5],
  [1000, 5],
])

export const publishSuite: Suite = {
  name: 'publish',
  async open(servers) {
    const topic = defineOrderTopic(`benchmark-publish-${process.pid}`)
    const OrderPlaced = defineOrderPlaced(topic)
    const kafkajs = await servers.kafkajs()
    const peer = kafkajs.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    const kafka = createKafka({ brokers: await servers.brokers() })
    await kafka.createTopics([topic])
    await peer.connect()
    const producer = createProducer({ sender: kafka, source: 'benchmark' })

    const headers = { 'content-type': 'application/json', 'event-type': OrderPlaced.type }
    const peerBytes =
      payloadBytes + Buffer.byteLength(Object.entries(headers).flat().join('')) + order(0).orderId.length
    const ownBytes = recordBytes(await recordOf(OrderPlaced, order(0)))

    const cases = [...targets].map(
      ([callers, atLeast]): BenchmarkCase => ({
        name: `publish/${callers}-caller${callers === 1 ? '' : 's'}`,
        contenders: [
          {
            name: 'kafkajs send',
            bytesPerMessage: peerBytes,
            run: (round) =>
              // Both start from the same object, as an application does; only ours is checked before it leaves.
              runCallers(callers, round, (n) => {
                const data = order(n)
                const message = { key: data.orderId, value: JSON.stringify(data), headers }
                return peer.send({ topic: topic.name, acks: -1, messages: [message] })
              }),
          },
          {
            name: 'typed publish',
            bytesPerMessage: ownBytes,
            run: (round) => runCallers(callers, round, (n) => producer.publish(OrderPlaced, order(n))),
          },
        ],
        targets: [{ contender: 'typed publish', measure: 'ratio', atLeast }],
      }),
    )
    return {
      cases,
      async close() {
        await peer.disconnect()
        await kafka.deleteTopics([topic.name])
        await kafka.close()
      },
    }
  },
}
