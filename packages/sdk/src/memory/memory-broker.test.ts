import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Consumer, createConsumer } from '../core/consumer.ts'
import { defineEvent } from '../core/event.ts'
import { silentLogger } from '../core/logger.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import { createMemoryBroker, type MemoryBroker } from './memory-broker.ts'

const Orders = defineTopic({ name: 'order-events', partitions: 4 })
const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic: Orders,
  schema: z.object({ orderId: z.string(), step: z.number() }),
  key: (order) => order.orderId,
})

let broker: MemoryBroker
const consumers: Consumer[] = []
const newBroker = async () => {
  broker = createMemoryBroker({ logger: silentLogger })
  await broker.createTopics([Orders])
  return broker
}

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close()))
  await broker.close()
})

test('what is published reaches every group, in order per key', async () => {
  await newBroker()
  const producer = createProducer({ sender: broker, source: 'order-service' })
  const seen = { shipping: [] as string[], billing: [] as string[] }
  for (const group of ['shipping', 'billing'] as const) {
    const consumer = createConsumer({ source: broker, group, logger: silentLogger, rejected: () => {} })
    consumer.on(OrderPlaced, async ({ data }) => {
      seen[group].push(`${data.orderId}:${data.step}`)
    })
    consumers.push(consumer)
    await consumer.start()
  }
  for (let step = 0; step < 5; step++)
    await Promise.all(['a', 'b', 'c'].map((orderId) => producer.publish(OrderPlaced, { orderId, step })))
  for (const events of Object.values(seen)) {
    await vi.waitFor(() => expect(events).toHaveLength(15))
    for (const key of ['a', 'b', 'c'])
      expect(events.filter((event) => event.startsWith(key))).toEqual([0, 1, 2, 3, 4].map((step) => `${key}:${step}`))
  }
})

test('a sender that uses its buffer again does not change the log', async () => {
  await newBroker()
  const value = Buffer.from('first')
  await broker.send([{ topic: Orders.name, key: Buffer.from('k'), value, headers: [['h', value]] }])
  value.write('XXXXX')
  const [record] = broker.records(Orders.name)
  expect(record?.message.value?.toString()).toBe('first')
  expect(record?.message.headers[0]?.[1].toString()).toBe('first')
})

test('nothing is delivered within the call that sends it', async () => {
  await newBroker()
  let handled = 0
  await broker.subscribe({
    group: 'watchers',
    topics: [Orders.name],
    handle: async ({ deliveries }) => {
      handled += deliveries.length
      return { next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 }
    },
    stallMs: 1000,
    onStatus: () => {},
  })
  void broker.send([{ topic: Orders.name, key: Buffer.from('k'), value: Buffer.from('v'), headers: [] }])
  expect(handled).toBe(0)
  await vi.waitFor(() => expect(handled).toBe(1))
})

test('a client that was closed is forgotten, and one that is open is closed with the broker', async () => {
  await newBroker()
  const [gone, open] = [broker.connect(), broker.connect()]
  await gone.close()
  const closes = [vi.spyOn(gone, 'close'), vi.spyOn(open, 'close')]
  await broker.close()
  expect(closes.map(({ mock }) => mock.calls.length)).toEqual([0, 1])
})
