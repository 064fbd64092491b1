import { expect, test } from 'vitest'
import { z } from 'zod'
import { asEnvelope, jsonCodec } from './codec.ts'
import type { Envelope } from './envelope.ts'
import { UndecodableRecordError } from './errors.ts'
import { defineEvent } from './event.ts'
import { defineTopic } from './topic.ts'

const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic: defineTopic({ name: 'order-events' }),
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})

const envelope: Envelope = {
  eventId: '0190-1',
  eventType: 'OrderPlaced',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: '0190-0',
  causationId: null,
  data: { orderId: 'o-1' },
  metadata: { userId: 'u-1' },
}

const carrying = (value: Buffer | null) => ({ topic: 'order-events', key: null, value, headers: [] })
const json = (document: unknown) => carrying(Buffer.from(JSON.stringify(document)))
const decode = async (value: ReturnType<typeof carrying>) => jsonCodec.decode(value)

test('what was encoded is decoded, field for field', async () => {
  const { value } = await jsonCodec.encode(OrderPlaced, envelope)
  expect(JSON.parse(value.toString())).toEqual(envelope)
  expect(await decode(carrying(value))).toEqual(envelope)
})

test('text beyond ASCII survives', async () => {
  const named = { ...envelope, data: { name: 'Łódź 🚚' } }
  expect((await decode(carrying((await jsonCodec.encode(OrderPlaced, named)).value))).data).toEqual({ name: 'Łódź 🚚' })
})

test('fields outside the contract are dropped, and what may be absent gets its default', async () => {
  const { causationId: _cause, metadata: _metadata, ...rest } = envelope
  const decoded = await decode(json({ ...rest, extra: 1 }))
  expect(decoded).toEqual({ ...rest, causationId: null, metadata: {} })
})

test.each([
  ['a null value', carrying(null)],
  ['no bytes', carrying(Buffer.alloc(0))],
  ['bytes that are not JSON', carrying(Buffer.from([0x00, 0xff, 0x10]))],
  ['half a document', carrying(Buffer.from('{"eventId": "1"'))],
  ['an array', json([envelope])],
  ['a text', json('hello')],
  ['null', json(null)],
  ['an empty object', json({})],
  ['an id that is a number', json({ ...envelope, eventId: 1 })],
  ['an empty type', json({ ...envelope, eventType: '' })],
  ['a cause that is an object', json({ ...envelope, causationId: {} })],
  ['metadata that is an array', json({ ...envelope, metadata: [] })],
  ['metadata that is not text', json({ ...envelope, metadata: { a: 1 } })],
])('%s is undecodable', async (_what, message) => {
  await expect(decode(message)).rejects.toThrow(UndecodableRecordError)
})

test('an envelope without data is undecodable, one with null data is not', async () => {
  const { data: _data, ...rest } = envelope
  await expect(decode(json(rest))).rejects.toThrow('with data, got none')
  expect((await decode(json({ ...rest, data: null }))).data).toBeNull()
})

test('text that is not UTF-8 is undecodable, and never silently another text', async () => {
  const bytes = Buffer.from(JSON.stringify({ ...envelope, data: { name: 'Muller' } }))
  bytes[bytes.indexOf('Muller') + 1] = 0xfc
  await expect(decode(carrying(bytes))).rejects.toThrow('not UTF-8')
})

test('names that every object inherits are not taken for fields', () => {
  expect(() => asEnvelope(JSON.parse('{"__proto__": {"eventId": "1"}}'))).toThrow(UndecodableRecordError)
})

test('metadata from outside never reaches the prototype of objects', async () => {
  const hostile = JSON.stringify({ ...envelope, metadata: {} }).replace(
    '"metadata":{}',
    '"metadata":{"__proto__":"x","constructor":"y"}',
  )
  const { metadata } = await decode(carrying(Buffer.from(hostile)))
  expect(Object.getPrototypeOf(metadata)).toBeNull()
  expect(Object.keys(metadata)).toEqual(['__proto__', 'constructor'])
})

test('the error tells how the bytes begin, and never holds the payload', async () => {
  const secret = `not json ${'card 4111'.repeat(10)}`
  const error = await decode(carrying(Buffer.from(secret))).catch((thrown: unknown) => thrown)
  expect(String(error)).toContain(`${Buffer.byteLength(secret)} byte(s) starting 0x6e6f74206a736f6e`)
  expect(String(error)).not.toContain('4111')
})
