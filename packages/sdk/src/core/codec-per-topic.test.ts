import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Codec, jsonCodec } from './codec.ts'
import { codecPerTopic } from './codec-per-topic.ts'
import type { Envelope } from './envelope.ts'
import { UndecodableRecordError } from './errors.ts'
import { defineEvent } from './event.ts'
import type { RawMessage } from './message.ts'
import { defineTopic } from './topic.ts'

const onTopic = (name: string) =>
  defineEvent({ type: 'Noted', topic: defineTopic({ name }), schema: z.string(), key: () => 'k' })
const envelope: Envelope = {
  eventId: 'e-1',
  eventType: 'Noted',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'notes',
  correlationId: 'e-1',
  causationId: null,
  data: 'hello',
  metadata: {},
}
const carrying = (value: Buffer | null): RawMessage => ({ topic: 't', key: null, value, headers: [] })

/** JSON behind a mark. */
const markedCodec = (mark: string): Codec => ({
  encode: (_event, fact) => ({
    value: Buffer.from(mark + JSON.stringify(fact)),
    contentType: `application/${mark}`,
    headers: [['mark', Buffer.from(mark)]],
  }),
  recognises: ({ value }) => value?.subarray(0, mark.length).toString() === mark,
  decode: ({ value }) => JSON.parse(String(value).slice(mark.length)),
})

const first = markedCodec('#')
const second = markedCodec('!')
const codec = codecPerTopic({ topics: { orders: first }, alsoReads: [second] })

test('each topic is written in its own format, and the rest in JSON', async () => {
  expect((await codec.encode(onTopic('orders'), envelope)).contentType).toBe('application/#')
  expect((await codec.encode(onTopic('elsewhere'), envelope)).contentType).toBe('application/json')
})

test.each([
  ['its own format', first],
  ['a format that is only read', second],
  ['JSON', jsonCodec],
])('a record in %s is read on any topic', async (_what, writer) => {
  const { value } = await writer.encode(onTopic('anywhere'), envelope)
  expect(await codec.decode(carrying(value))).toEqual(envelope)
})

test('what nobody recognises is undecodable, with its first bytes in the message', () => {
  expect(() => codec.decode(carrying(Buffer.from([7, 8])))).toThrow(UndecodableRecordError)
  expect(() => codec.decode(carrying(Buffer.from([7, 8])))).toThrow('2 byte(s) starting 0x0708')
  expect(() => codec.decode(carrying(null))).toThrow('a tombstone')
})

test('JSON is recognised behind white space', () => {
  expect(jsonCodec.recognises(carrying(Buffer.from(' \n{}')))).toBe(true)
  expect(jsonCodec.recognises(carrying(Buffer.from('')))).toBe(false)
})
