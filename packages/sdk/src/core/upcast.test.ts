import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createMemoryBroker } from '../memory/memory-broker.ts'
import { collectRejections } from '../testing/rejections.ts'
import { createConsumer } from './consumer.ts'
import type { Envelope } from './envelope.ts'
import { InvalidConfigurationError, InvalidDefinitionError } from './errors.ts'
import { defineEvent } from './event.ts'
import { silentLogger } from './logger.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'
import { upcast, versionsOf } from './upcast.ts'

const topic = defineTopic({ name: 'payment-events' })
const key = (payment: { orderId: string }) => payment.orderId
const type = 'PaymentFailed'
const V1 = defineEvent({ type, topic, schema: z.object({ orderId: z.string(), code: z.string() }), key })
const V2 = defineEvent({
  type,
  version: 'v2',
  topic,
  schema: z.object({ orderId: z.string(), reason: z.enum(['card_declined', 'other']) }),
  key,
})
const V3 = defineEvent({
  type,
  version: 'v3',
  topic,
  schema: z.object({ orderId: z.string(), reasons: z.array(z.string()).min(1) }),
  key,
})
const V2FromV1 = upcast(V2, V1, ({ orderId, code }) => ({
  orderId,
  reason: code === 'card_declined' ? code : 'other',
}))
const V3FromAll = upcast(V3, V2FromV1, ({ orderId, reason }) => ({ orderId, reasons: [reason] }))

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function setUp() {
  const broker = createMemoryBroker({ logger: silentLogger })
  await broker.createTopics([topic])
  const rejections = collectRejections()
  const consumer = createConsumer({
    source: broker,
    group: 'orders',
    rejected: rejections.handler,
    logger: silentLogger,
  })
  closing.push(
    () => broker.close(),
    () => consumer.close(),
  )
  return { consumer, rejections, producer: createProducer({ sender: broker, source: 'payment-service' }) }
}

test('a handler of the newest version gets the records of every older one as the newest', async () => {
  const { consumer, producer } = await setUp()
  const seen: Envelope<string, { reasons: string[] }>[] = []
  await consumer
    .on(V3FromAll, (event) => {
      seen.push(event)
    })
    .start()
  const first = await producer.publish(V1, { orderId: 'o-1', code: 'no_such_card' })
  await producer.publish(V2, { orderId: 'o-1', reason: 'card_declined' })
  await producer.publish(V3, { orderId: 'o-1', reasons: ['a', 'b'] })
  await vi.waitFor(() => expect(seen).toHaveLength(3))
  expect(seen.map(({ eventVersion, data }) => [eventVersion, data.reasons])).toEqual([
    ['v3', ['other']],
    ['v3', ['card_declined']],
    ['v3', ['a', 'b']],
  ])
  expect(seen[0]?.eventId).toBe(first.eventId)
})

test('an upcaster that throws, or makes what its definition refuses, sets the record aside', async () => {
  const { consumer, producer, rejections } = await setUp()
  const Fragile = upcast(V3, V1, ({ orderId, code }) => {
    if (code === 'boom') throw new Error('no idea what this was')
    return { orderId, reasons: [] }
  })
  await consumer.on(Fragile, () => {}).start()
  await producer.publish(V1, { orderId: 'o-1', code: 'boom' })
  await producer.publish(V1, { orderId: 'o-1', code: 'fine' })
  await vi.waitFor(() => expect(rejections.list).toHaveLength(2))
  expect(rejections.list.map(({ error }) => error.message)).toEqual([
    expect.stringContaining('the upcaster from v1 to v3 threw: no idea what this was'),
    expect.stringContaining('PaymentFailed v3 arrived with data that does not match its definition (data.reasons'),
  ])
})

test('one version has one handler, also when an upcaster leads to it', async () => {
  const { consumer } = await setUp()
  consumer.on(V2FromV1, () => {})
  expect(() => consumer.on(V1, () => {})).toThrow(InvalidConfigurationError)
  expect(() => consumer.on(V3FromAll, () => {})).toThrow('PaymentFailed v2 already has a handler')
})

test('an upcaster goes from an older version of the same event on the same topic', () => {
  expect(() => upcast(V1, V2, () => ({ orderId: 'o', code: 'c' }))).toThrow(InvalidDefinitionError)
  expect(() => upcast(V2FromV1, V1, () => ({ orderId: 'o', reason: 'other' }))).toThrow('already is an upcaster')
  const Elsewhere = defineEvent({ ...V1, type, topic: defineTopic({ name: 'elsewhere' }) })
  expect(() => upcast(V2, Elsewhere, () => ({ orderId: 'o', reason: 'other' }))).toThrow('on one topic')
})

test('an event knows every version it reads, the newest first', () => {
  expect(versionsOf(V3FromAll).map(({ version }) => version)).toEqual(['v3', 'v2', 'v1'])
})
