/** The page about the wire says what the code does. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { avroEncoder, avroSchema } from '../avro/index.ts'
import { jsonCodec } from '../core/codec.ts'
import type { Envelope } from '../core/envelope.ts'
import { defineEvent, validate } from '../core/event.ts'
import { headerNames, maxHeaderTextBytes } from '../core/headers.ts'
import { defineTopic } from '../core/topic.ts'
import { envelopeRecord, subjectOf } from '../registry/envelope-record.ts'
import { namedSchema, schemaIdHeader } from '../registry/framing.ts'
import { createAvroCodec } from '../registry/index.ts'
import { cloudEventAttributes, maxMetadataBytes } from './attributes.ts'
import { cloudEventsCodec } from './cloud-events-codec.ts'

const page = readFileSync(new URL('../../../../docs/wire-format.md', import.meta.url), 'utf8')

/** Cells of the first table below a heading, without its head; or of the table whose head begins with `first`. */
const table = (heading: string, first?: string): string[][] => {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const tables = section.split('\n\n').filter((block) => block.startsWith('|'))
  const [, , ...rows] = (tables.find((one) => first === undefined || one.startsWith(`| ${first}`)) ?? '')
    .trim()
    .split('\n')
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}
const code = (cell = '') => /^`(.*)`$/.exec(cell)?.[1]
const hex = (cell: string | undefined) => Buffer.from((code(cell) ?? '').replaceAll(' ', ''), 'hex')

const envelope: Envelope = {
  eventId: '01939d3e-0000-7000-8000-000000000001',
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: '2026-01-31T12:00:00.000Z',
  source: 'order-service',
  correlationId: '01939d3e-0000-7000-8000-000000000001',
  causationId: null,
  data: { orderId: 'o-1' },
  metadata: { userId: 'u-1' },
}
const define = (schema: ReturnType<typeof avroSchema<unknown>>) =>
  defineEvent({ type: 'OrderCreated', topic: defineTopic({ name: 'order-events' }), schema, key: () => 'o-1' })
const created = avroSchema<unknown>({
  type: 'record',
  name: 'shop.orders.v1.OrderCreated',
  fields: [{ name: 'orderId', type: 'string' }],
})
const OrderCreated = define(created)
const avroIn = (schemaIdIn: 'value' | 'header') =>
  createAvroCodec({
    lookup: {
      byId: () => Promise.reject(new Error('not asked')),
      byGuid: () => Promise.reject(new Error('not asked')),
      idOf: async () => 7,
    },
    events: [OrderCreated],
    schemaIdIn,
  })

test('it lists exactly the headers that are written', () => {
  const listed = table('Headers').map(([field, header]) => [code(field) ?? 'contentType', code(header)])
  expect(Object.fromEntries(listed)).toEqual(headerNames)
  expect(page).toContain(`longer than ${maxHeaderTextBytes} bytes`)
})

test('its fields of the envelope are those of the Avro record, in its order', () => {
  const listed = table('The envelope').map(([field]) => code(field))
  expect(listed).toEqual(envelopeRecord(created.avro).fields.map(({ name }) => name))
  expect(page).toContain(subjectOf('order-events', envelopeRecord(created.avro)))
})

test('it lists the media types that the codecs write', async () => {
  const codecs = [jsonCodec, avroIn('value'), avroIn('header'), cloudEventsCodec({ mode: 'structured' })]
  const written = await Promise.all(codecs.map((codec) => codec.encode(OrderCreated, envelope)))
  expect(table('Which format is it?').map(([type]) => code(type))).toEqual(
    written.map(({ contentType }) => contentType),
  )
})

test('its document in JSON is what is written', async () => {
  const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  const { value } = await jsonCodec.encode(OrderCreated, envelope)
  expect(JSON.parse(example)).toEqual(JSON.parse(value.toString()))
})

test('its frames are read as it says', async () => {
  const [byId, byGuid, idInHeader, guidInHeader] = table('Avro').map(([, value, header]) =>
    namedSchema(hex(value), code(header) === undefined ? [] : [[schemaIdHeader, hex(header)]]),
  )
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  expect([byId, byGuid]).toEqual([
    { schema: 7, bodyAt: 5 },
    { schema: guid, bodyAt: 17 },
  ])
  expect([idInHeader, guidInHeader]).toEqual([
    { schema: 7, bodyAt: 0 },
    { schema: guid, bodyAt: 0 },
  ])
  const { value } = await avroIn('value').encode(OrderCreated, envelope)
  expect(value.subarray(0, 5)).toEqual(hex(table('Avro')[0]?.[1]))
})

describe('a value looks as it says', () => {
  test.each(table('Values').map((row) => row.map((cell) => code(cell) ?? '')))(
    '%s as %s',
    async (type, json, bytes) => {
      const fields = [{ name: 'value', type: JSON.parse(type ?? '') }]
      const shown = avroSchema<unknown>({ type: 'record', name: 'Shown', fields })
      const Shown = define(shown)
      const read = await validate(Shown, { value: JSON.parse(json ?? '') })
      if ('issues' in read) throw new Error(JSON.stringify(read.issues))
      expect(avroEncoder(shown.avro)(read.data).toString('hex')).toBe(bytes)
      const { value } = await jsonCodec.encode(Shown, { ...envelope, data: read.data })
      expect(JSON.parse(value.toString()).data).toEqual({ value: JSON.parse(json ?? '') })
    },
  )
})

test('it maps the envelope to the attributes of CloudEvents as the codec does', () => {
  const listed = table('CloudEvents').map(([field, attribute]) => [code(field), code(attribute)])
  expect(Object.fromEntries(listed)).toEqual(cloudEventAttributes)
  expect(page).toContain(`\`evtmetadata\`: ${maxMetadataBytes / 1024} KiB`)
})
