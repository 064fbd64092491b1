import { expect, test } from 'vitest'
import { z } from 'zod'
import { createManualClock } from '../testing/manual-clock.ts'
import { createRecordingSender } from '../testing/recording-sender.ts'
import { BrokerUnavailableError, InvalidConfigurationError, InvalidEventError, SendFailedError } from './errors.ts'
import { defineEvent, fact } from './event.ts'
import { headerText } from './headers.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({ name: 'order-events' })
const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic,
  schema: z.object({ orderId: z.string(), lines: z.array(z.object({ quantity: z.number() })).default([]) }),
  key: (order) => order.orderId,
})
const OrderShipped = defineEvent({
  type: 'OrderShipped',
  version: 'v2',
  topic,
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})

function setUp() {
  const sender = createRecordingSender()
  let ids = 0
  const producer = createProducer({
    sender,
    source: 'order-service',
    clock: createManualClock({ now: Date.UTC(2026, 0, 1) }),
    newId: () => `id-${++ids}`,
  })
  return { sender, producer }
}

const documentIn = (bytes: Buffer | null | undefined): unknown => JSON.parse(String(bytes))

test('a fact becomes one record with the whole envelope, keyed by its entity', async () => {
  const { sender, producer } = setUp()
  const envelope = await producer.publish(OrderPlaced, { orderId: 'o-1', lines: [{ quantity: 2 }] })
  expect(envelope).toEqual({
    eventId: 'id-1',
    eventType: 'OrderPlaced',
    eventVersion: 'v1',
    timestamp: '2026-01-01T00:00:00.000Z',
    source: 'order-service',
    correlationId: 'id-1',
    causationId: null,
    data: { orderId: 'o-1', lines: [{ quantity: 2 }] },
    metadata: {},
  })
  const [message] = sender.messages
  expect(message).toMatchObject({ topic: 'order-events', timestamp: Date.UTC(2026, 0, 1) })
  expect(message?.key?.toString()).toBe('o-1')
  expect(documentIn(message?.value)).toEqual(envelope)
  expect(message && headerText(message, 'event-id')).toBe('id-1')
})

test('what does not match its definition is refused before any byte leaves, by the path of the wrong field', async () => {
  const { sender, producer } = setUp()
  // A caller without the compiler's help.
  const wrong = { orderId: 'o-1', lines: [{ quantity: 'two' }] } as unknown as { orderId: string; lines: [] }
  const refused = producer.publish(OrderPlaced, wrong)
  await expect(refused).rejects.toThrow(InvalidEventError)
  await expect(refused).rejects.toMatchObject({ issues: [{ path: 'lines.0.quantity' }] })
  expect(sender.messages).toEqual([])
})

test('several facts leave in one send, in order, and none when one of them is wrong', async () => {
  const { sender, producer } = setUp()
  await producer.publishAll([fact(OrderPlaced, { orderId: 'o-1', lines: [] }), fact(OrderShipped, { orderId: 'o-1' })])
  expect(sender.sends).toHaveLength(1)
  expect(sender.messages.map(({ value }) => documentIn(value))).toMatchObject([
    { eventType: 'OrderPlaced', eventVersion: 'v1' },
    { eventType: 'OrderShipped', eventVersion: 'v2' },
  ])
  const wrong = { orderId: 7 } as unknown as { orderId: string }
  await expect(
    producer.publishAll([fact(OrderShipped, { orderId: 'o-2' }), fact(OrderShipped, wrong)]),
  ).rejects.toThrow(InvalidEventError)
  expect(sender.sends).toHaveLength(1)
  expect(await producer.publishAll([])).toEqual([])
  expect(sender.sends).toHaveLength(1)
})

test('what follows from a fact carries its correlation and metadata, and names it as the cause', async () => {
  const { producer } = setUp()
  const cause = await producer.publish(
    OrderPlaced,
    { orderId: 'o-1', lines: [] },
    { correlationId: 'request-1', metadata: { userId: 'u-1', channel: 'web' } },
  )
  const effect = await producer
    .causedBy(cause)
    .publish(OrderShipped, { orderId: 'o-1' }, { correlationId: 'ignored', metadata: { channel: 'saga' } })
  expect(cause).toMatchObject({ correlationId: 'request-1', causationId: null })
  expect(effect).toMatchObject({
    correlationId: 'request-1',
    causationId: cause.eventId,
    metadata: { userId: 'u-1', channel: 'saga' },
  })
})

test('deriving a producer leaves the original as it is, in either order', async () => {
  const { sender, producer } = setUp()
  const other = createRecordingSender()
  const cause = await producer.publish(OrderPlaced, { orderId: 'o-1', lines: [] })
  await producer.causedBy(cause).through(other).publish(OrderShipped, { orderId: 'o-1' })
  await producer.through(other).causedBy(cause).publish(OrderShipped, { orderId: 'o-2' })
  const plain = await producer.publish(OrderShipped, { orderId: 'o-3' })
  expect(other.messages.map(({ value }) => documentIn(value))).toMatchObject([
    { causationId: cause.eventId },
    { causationId: cause.eventId },
  ])
  expect(sender.messages).toHaveLength(2)
  expect(plain.causationId).toBeNull()
})

test('facts of one key that are published without waiting keep their order', async () => {
  const { sender, producer } = setUp()
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => producer.publish(OrderPlaced, { orderId: 'o-1', lines: [{ quantity: i }] })),
  )
  expect(
    sender.messages.map(
      ({ value }) => z.object({ data: OrderPlacedData }).parse(documentIn(value)).data.lines[0]?.quantity,
    ),
  ).toEqual(Array.from({ length: 50 }, (_, i) => i))
})

test('several facts in one send keep their place before a later call that does not wait for them', async () => {
  const { sender, producer } = setUp()
  const shipped = (step: number) => fact(OrderPlaced, { orderId: 'o-1', lines: [{ quantity: step }] })
  await Promise.all([
    producer.publishAll([shipped(1), shipped(2), shipped(3)]),
    producer.publish(OrderPlaced, { orderId: 'o-1', lines: [{ quantity: 4 }] }),
    producer.publishAll([shipped(5)]),
  ])
  expect(
    sender.messages.map(
      ({ value }) => z.object({ data: OrderPlacedData }).parse(documentIn(value)).data.lines[0]?.quantity,
    ),
  ).toEqual([1, 2, 3, 4, 5])
})

const OrderPlacedData = z.object({ lines: z.array(z.object({ quantity: z.number() })) })

test('a failed send reaches the caller', async () => {
  const { sender, producer } = setUp()
  sender.failNext(new BrokerUnavailableError('down'))
  const failed = producer.publish(OrderShipped, { orderId: 'o-1' })
  await expect(failed).rejects.toThrow(SendFailedError)
  await expect(failed).rejects.toMatchObject({ retryable: true })
})

test('a definition whose key gives nothing is refused', async () => {
  const { sender, producer } = setUp()
  await expect(producer.publish(OrderShipped, { orderId: '' })).rejects.toThrow('expected a non-empty text')
  expect(sender.messages).toEqual([])
})

test('a producer needs a source', () => {
  expect(() => createProducer({ sender: createRecordingSender(), source: '' })).toThrow(InvalidConfigurationError)
})
