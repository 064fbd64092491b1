/** Dead letters in a topic of a real Kafka go back to the group that failed, and to nobody else. */
import { createConsumer, createProducer, defineEvent, defineTopic, silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createRetryTopics, deadLetterTopic, openDeadLetterTopic, retryTopicDefinitions } from '@evtkit/sdk/retry'
import { afterAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../../test/eventually.ts'

const run = crypto.randomUUID().slice(0, 8)
const kafka = createKafka({
  brokers: inject('kafkaBrokers').split(','),
  logger: silentLogger,
  fetchMaxWaitMs: 100,
  commitIntervalMs: 100,
})
const made: string[] = []
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await kafka.deleteTopics(made)
  await kafka.close()
})

test('a redrive by two people at once does each event once, in the group that failed alone', async () => {
  const group = `redrive-${run}`
  const tiers = [100, 300]
  const topic = defineTopic({ name: `orders-${group}`, partitions: 2 })
  const OrderPlaced = defineEvent({
    type: 'OrderPlaced',
    topic,
    schema: z.object({ orderId: z.string() }),
    key: ({ orderId }) => orderId,
  })
  const topics = [topic, ...retryTopicDefinitions(group, tiers, { partitions: 2 })]
  await kafka.createTopics(topics)
  made.push(...topics.map(({ name }) => name))
  let broken = true
  const handled: string[] = []
  const others: string[] = []
  const shared = { source: kafka, logger: silentLogger, rejected: deadLetterTopic({ sender: kafka }) }
  const failing = createConsumer({
    ...{ ...shared, group, retry: { attempts: 1 } },
    failed: createRetryTopics({ transport: kafka, tiers }),
  }).on(OrderPlaced, ({ data }) => {
    if (broken) throw new Error('not yet')
    handled.push(data.orderId)
  })
  const healthy = createConsumer({ ...shared, group: `${group}-other` }).on(
    OrderPlaced,
    ({ data }) => void others.push(data.orderId),
  )
  closing.push(
    () => failing.close(),
    () => healthy.close(),
  )
  await Promise.all([failing.start(), healthy.start()])
  const producer = createProducer({ sender: kafka, source: 'shop' })
  const orders = Array.from({ length: 30 }, (_, i) => `o${String(i).padStart(2, '0')}`)
  await Promise.all(orders.map((orderId) => producer.publish(OrderPlaced, { orderId })))

  const [ana, bo] = await Promise.all([1, 2].map(() => openDeadLetterTopic({ transport: kafka, group, tiers })))
  if (ana === undefined || bo === undefined) return expect.unreachable()
  closing.push(
    () => ana.close(),
    () => bo.close(),
  )
  await eventually(async () => expect(await ana.list()).toHaveLength(30))
  broken = false
  const why = { reason: 'mended' }
  const plan = await ana.plan({ errorCode: 'Error' }, { ...why, by: 'ana' })
  expect(plan.members).toBe(1)
  const results = await Promise.all([
    ana.redrive(plan, { ...why, by: 'ana', ratePerSecond: 100 }),
    bo.redrive(await bo.plan({ all: true }, { ...why, by: 'bo' }), { ...why, by: 'bo', ratePerSecond: 100 }),
  ])
  expect(results.reduce((sum, { done }) => sum + done, 0)).toBe(30)
  await eventually(() => expect([...handled].sort()).toEqual(orders))
  expect(await bo.list()).toEqual([])
  expect((await ana.history()).map(({ kind, by }) => `${by} ${kind}`).sort()).toEqual([
    'ana planned',
    'ana redrive',
    'bo planned',
    'bo redrive',
  ])
  expect([...others].sort()).toEqual(orders)
})
