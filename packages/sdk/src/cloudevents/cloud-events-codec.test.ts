import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { avroSchema } from '../avro/index.ts'
import { jsonCodec } from '../core/codec.ts'
import { codecPerTopic } from '../core/codec-per-topic.ts'
import type { Envelope } from '../core/envelope.ts'
import { InvalidConfigurationError, InvalidEventError, UndecodableRecordError } from '../core/errors.ts'
import { defineEvent } from '../core/event.ts'
import { envelopeHeaders } from '../core/headers.ts'
import type { Header, RawMessage } from '../core/message.ts'
import { defineTopic } from '../core/topic.ts'
import { createAvroCodec } from '../registry/index.ts'
import { cloudEventsCodec } from './cloud-events-codec.ts'

const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic: defineTopic({ name: 'order-events' }),
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})
const envelope: Envelope = {
  eventId: '01939d3e-0000-7000-8000-000000000001',
  eventType: 'OrderPlaced',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: 'request-1',
  causationId: 'cause-1',
  data: { orderId: 'o-1' },
  metadata: { userId: 'u-1', note: 'Łódź \u0085 \uffff 🚚' },
}

/** The record that a producer would make. */
const written = async (codec = cloudEventsCodec(), fact = envelope): Promise<RawMessage> => {
  const { value, contentType, headers = [] } = await codec.encode(OrderPlaced, fact)
  return {
    topic: 'order-events',
    key: Buffer.from('o-1'),
    value,
    headers: [...envelopeHeaders(fact, contentType), ...headers],
    timestamp: Date.parse(fact.timestamp),
  }
}
const textOf = ({ headers }: RawMessage, name: string) => headers.find(([other]) => other === name)?.[1].toString()

const headersFrom = (texts: Readonly<Record<string, string | Buffer | undefined>>): Header[] =>
  Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, Buffer.from(text)]]))
const foreign = {
  ce_specversion: '1.0',
  ce_id: '42',
  ce_source: '/partner/parcels',
  ce_type: 'OrderPlaced',
  ce_time: '2026-02-03T04:05:06Z',
  'content-type': 'application/json',
}
const record = (
  headers: Readonly<Record<string, string | Buffer | undefined>>,
  value: string | Buffer | null = '{"orderId":"o-1"}',
): RawMessage => ({
  topic: 'partner-events',
  key: null,
  value: value === null ? null : Buffer.from(value),
  headers: headersFrom(headers),
  timestamp: Date.parse('2026-05-05T05:05:05.000Z'),
})
const document = (fields: Readonly<Record<string, unknown>>, contentType = 'application/cloudevents+json') =>
  record({ 'content-type': contentType }, JSON.stringify(fields))
const parcel = {
  specversion: '1.0',
  id: '42',
  source: '/partner/parcels',
  type: 'OrderPlaced',
  data: { orderId: 'o-1' },
}
const read = async (message: RawMessage, codec = cloudEventsCodec()) => codec.decode(message)

describe('what we write', () => {
  test.each(['binary', 'structured'] as const)(
    'in %s mode is read back, field for field, in either mode',
    async (mode) => {
      const message = await written(cloudEventsCodec({ mode }))
      for (const reader of ['binary', 'structured'] as const)
        expect(await read(message, cloudEventsCodec({ mode: reader }))).toEqual(envelope)
      const first = { ...envelope, causationId: null, metadata: {} }
      expect(await read(await written(cloudEventsCodec({ mode }), first))).toEqual(first)
    },
  )

  test('in binary mode is the data alone, with each attribute in a header', async () => {
    const message = await written()
    expect(message.value?.toString()).toBe('{"orderId":"o-1"}')
    expect(Object.fromEntries(message.headers.map(([name, bytes]) => [name, bytes.toString()]))).toMatchObject({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: envelope.eventId,
      ce_source: 'order-service',
      ce_type: 'OrderPlaced',
      ce_time: envelope.timestamp,
      ce_eventversion: 'v1',
      ce_correlationid: 'request-1',
      ce_causationid: 'cause-1',
      ce_subject: 'o-1',
      ce_partitionkey: 'o-1',
    })
  })

  test('in structured mode is one document, without headers of its own', async () => {
    const { value, contentType, headers } = await cloudEventsCodec({ mode: 'structured' }).encode(OrderPlaced, envelope)
    expect(contentType).toBe('application/cloudevents+json; charset=utf-8')
    expect(headers).toBeUndefined()
    expect(JSON.parse(value.toString())).toMatchObject({ specversion: '1.0', type: 'OrderPlaced', data: envelope.data })
  })

  test('leaves out the subject when the key cannot be one', async () => {
    const message = await written(cloudEventsCodec(), { ...envelope, data: { orderId: 'o\n1' } })
    expect(textOf(message, 'ce_subject')).toBeUndefined()
    expect(textOf(message, 'ce_partitionkey')).toBeUndefined()
  })

  test('names the schema of the data where one is given', async () => {
    const codec = cloudEventsCodec({
      dataSchema: ({ type, version }) => `https://schemas.example.com/${type}/${version}`,
    })
    expect(textOf(await written(codec), 'ce_dataschema')).toBe('https://schemas.example.com/OrderPlaced/v1')
  })

  test.each([
    ['a source with a space', { source: 'order service' }, '"source" is not a URI reference'],
    ['a control character in the correlation id', { correlationId: 'a\nb' }, '"correlationid" holds characters'],
    ['half a surrogate pair', { correlationId: 'a\ud800' }, '"correlationid" holds characters'],
    ['an empty correlation id', { correlationId: '' }, '"correlationid" is empty'],
    ['a cause that is too long', { causationId: 'x'.repeat(1025) }, '"causationid" is longer than 1024 bytes'],
    ['a time that RFC 3339 does not know', { timestamp: '2026-01-01' }, '"time" is not a time by RFC 3339'],
    ['metadata that is too long', { metadata: { a: 'x'.repeat(20_000) } }, '"evtmetadata" is longer than 16384 bytes'],
  ])('refuses %s', async (_what, change, message) => {
    const refused = expect(written(cloudEventsCodec(), { ...envelope, ...change })).rejects
    await refused.toThrow(InvalidEventError)
    await refused.toThrow(message)
  })

  test.each(['binary', 'structured'] as const)('refuses data that JSON cannot carry, in %s mode', async (mode) => {
    const data = { orderId: 'o-1', weight: Number.NaN }
    const Weighed = defineEvent({
      type: 'OrderPlaced',
      topic: OrderPlaced.topic,
      schema: z.object({ orderId: z.string(), weight: z.nan() }),
      key: (order) => order.orderId,
    })
    const encode = async () => cloudEventsCodec({ mode }).encode(Weighed, { ...envelope, data })
    await expect(encode()).rejects.toThrow(InvalidEventError)
  })
})

describe('an event of somebody else', () => {
  test('gets defaults for what only ours say', async () => {
    expect(await read(record(foreign))).toEqual({
      eventId: '/partner/parcels|42',
      eventType: 'OrderPlaced',
      eventVersion: 'v1',
      timestamp: '2026-02-03T04:05:06Z',
      source: '/partner/parcels',
      correlationId: '/partner/parcels|42',
      causationId: null,
      data: { orderId: 'o-1' },
      metadata: {},
    })
    const structured = await read(document(parcel))
    expect(structured).toEqual({ ...(await read(record(foreign))), timestamp: '2026-05-05T05:05:05.000Z' })
  })

  test('with the same id as one of another source is another event', async () => {
    const one = await read(record(foreign))
    const other = await read(record({ ...foreign, ce_source: '/other' }))
    expect(one.eventId).not.toBe(other.eventId)
    const unique = await read(record({ ...foreign, ce_id: envelope.eventId }))
    expect(unique.eventId).toBe(envelope.eventId)
  })

  test('is told apart by headers in any case, and by media types in any case', async () => {
    const shouting = Object.fromEntries(Object.entries(foreign).map(([name, text]) => [name.toUpperCase(), text]))
    expect(await read(record(shouting))).toEqual(await read(record(foreign)))
    expect(cloudEventsCodec().recognises(record(shouting))).toBe(true)
    const structured = document(parcel, 'Application/CloudEvents+JSON; charset="UTF-8"')
    expect(cloudEventsCodec().recognises(structured)).toBe(true)
    expect((await read(structured)).data).toEqual({ orderId: 'o-1' })
  })

  test('keeps a time in UTC to the last digit, and has any other put into UTC', async () => {
    const timeOf = async (ce_time: string) => (await read(record({ ...foreign, ce_time }))).timestamp
    expect(await timeOf('2026-02-03T04:05:06.123456789Z')).toBe('2026-02-03T04:05:06.123456789Z')
    expect(await timeOf('2026-02-03T04:05:06+02:00')).toBe('2026-02-03T02:05:06.000Z')
  })

  test.each(['2026-02-30T04:05:06+01:00', '9999-12-31T23:30:00-01:00', '0000-01-01T00:30:00+01:00'])(
    'refuses %s, which is no time that UTC can say',
    async (ce_time) => {
      await expect(read(record({ ...foreign, ce_time }))).rejects.toThrow('whose time is a day of the calendar')
    },
  )

  test('is taken as of when its record was written when it does not say', async () => {
    const timeless = { ...foreign, ce_time: undefined }
    expect((await read(record(timeless))).timestamp).toBe('2026-05-05T05:05:05.000Z')
    const { timestamp: _none, ...nowhen } = record(timeless)
    for (const message of [nowhen, { ...nowhen, timestamp: -1 }, { ...nowhen, timestamp: 9e18 }])
      await expect(read(message)).rejects.toThrow('with a time, or a record with a timestamp')
  })

  test.each([
    ['JSON', 'application/json; charset=utf-8', '{"a":1}', { a: 1 }],
    ['a format on JSON', 'application/vnd.parcel+json', '[1]', [1]],
    ['JSON when nothing is said', undefined, '{"a":1}', { a: 1 }],
    ['text', 'text/plain', 'hello', 'hello'],
    ['bytes', 'application/octet-stream', Buffer.from([0, 255]), Buffer.from([0, 255])],
  ])('may have data as %s', async (_what, contentType, value, data) => {
    expect((await read(record({ ...foreign, 'content-type': contentType }, value))).data).toEqual(data)
  })

  test.each([
    ['bytes in base64', { datacontenttype: 'application/octet-stream', data_base64: 'AP8=' }, Buffer.from([0, 255])],
    ['JSON in base64', { data_base64: Buffer.from('{"a":1}').toString('base64') }, { a: 1 }],
    ['text', { datacontenttype: 'text/xml', data: '<a/>' }, '<a/>'],
    ['nothing', { data: undefined }, null],
    ['null', { data: null }, null],
  ])('in one document may have data as %s', async (_what, fields, data) => {
    const { data: _data, ...attributes } = parcel
    expect((await read(document({ ...attributes, ...fields }))).data).toEqual(data)
  })

  test('says its media type as an attribute like any other, where the header is missing', async () => {
    const { 'content-type': _none, ...rest } = foreign
    expect((await read(record({ ...rest, ce_datacontenttype: 'text/plain' }, 'hi'))).data).toBe('hi')
  })

  test('has those of its extensions in the metadata that are asked for', async () => {
    const codec = cloudEventsCodec({ metadataFrom: ['tenantid', 'attempt'] })
    const binary = await read(record({ ...foreign, ce_tenantid: 't-1', ce_other: 'x' }), codec)
    expect(binary.metadata).toEqual({ tenantid: 't-1' })
    const structured = await read(document({ ...parcel, tenantid: 't-1', attempt: 3, other: 'x' }), codec)
    expect(structured.metadata).toEqual({ tenantid: 't-1', attempt: '3' })
    const ours = await written()
    const carried = await read({ ...ours, headers: [...ours.headers, ...headersFrom({ ce_tenantid: 't-1' })] }, codec)
    expect(carried.metadata).toEqual({ ...envelope.metadata, tenantid: 't-1' })
  })

  test('never reaches the prototype of objects with its metadata', async () => {
    const { metadata } = await read(record({ ...foreign, ce_evtmetadata: '{"__proto__":"x","constructor":"y"}' }))
    expect(Object.getPrototypeOf(metadata)).toBeNull()
    expect(Object.keys(metadata)).toEqual(['__proto__', 'constructor'])
  })
})

describe('names of events', () => {
  const codec = cloudEventsCodec({
    typePrefix: 'com.example.',
    types: {
      'com.partner.order.placed.v2': { type: 'OrderPlaced', version: 'v2' },
      'com.partner.order.closed': 'OrderClosed',
    },
  })
  const nameOf = async (ce_type: string) => {
    const { eventType, eventVersion } = await read(record({ ...foreign, ce_type }), codec)
    return `${eventType} ${eventVersion}`
  }

  test('have a prefix on the wire only', async () => {
    expect(textOf(await written(codec), 'ce_type')).toBe('com.example.OrderPlaced')
    expect(await read(await written(codec), codec)).toEqual(envelope)
    expect(await nameOf('com.example.OrderPlaced')).toBe('OrderPlaced v1')
  })

  test('that are listed are translated both ways, with their version where it is listed', async () => {
    expect(await nameOf('com.partner.order.placed.v2')).toBe('OrderPlaced v2')
    expect(await nameOf('com.partner.order.closed')).toBe('OrderClosed v1')
    const second = { ...envelope, eventVersion: 'v2' }
    expect(textOf(await written(codec, second), 'ce_type')).toBe('com.partner.order.placed.v2')
    expect(textOf(await written(codec, { ...envelope, eventType: 'OrderClosed' }), 'ce_type')).toBe(
      'com.partner.order.closed',
    )
  })

  test('that nothing is said about stay whole, so that the error of a consumer names them', async () => {
    expect(await nameOf('org.elsewhere.Thing')).toBe('org.elsewhere.Thing v1')
    expect(await nameOf('com.example.')).toBe('com.example. v1')
  })

  test.each([
    { types: { '': 'OrderPlaced' } },
    { types: { 'com.example.x': '' } },
    { metadataFrom: ['tenantId'] },
    { metadataFrom: ['correlationid'] },
  ])('and of extensions that cannot be are refused at once: %j', (options) => {
    expect(() => cloudEventsCodec(options)).toThrow(InvalidConfigurationError)
  })
})

describe('what is no CloudEvent', () => {
  const without = (name: keyof typeof foreign) => record({ ...foreign, [name]: undefined })
  test.each([
    ['a null value', record(foreign, null), 'a tombstone'],
    ['no id', without('ce_id'), 'with the attribute "id", got none'],
    ['no source', without('ce_source'), 'with the attribute "source", got none'],
    ['no type', without('ce_type'), 'with the attribute "type", got none'],
    ['no specversion', without('ce_specversion'), 'with the attribute "specversion", got none'],
    ['an empty id', record({ ...foreign, ce_id: '' }), 'with the attribute "id", got an empty one'],
    ['an older specversion', record({ ...foreign, ce_specversion: '0.3' }), 'of specversion 1.0, got "0.3"'],
    ['a time that is none', record({ ...foreign, ce_time: 'yesterday' }), '"time" is not a time by RFC 3339'],
    ['a day that is none', record({ ...foreign, ce_time: '2026-13-45T00:00:00Z' }), '"time" is not a time'],
    ['an id that is too long', record({ ...foreign, ce_id: 'x'.repeat(1025) }), '"id" is longer than 1024 bytes'],
    ['a huge header', record({ ...foreign, ce_id: Buffer.alloc(2_000_000, 'x') }), '"id" is longer than 16384 bytes'],
    ['a header that is not UTF-8', record({ ...foreign, ce_type: Buffer.from([0xff]) }), '"type" is not UTF-8'],
    ['a control character', record({ ...foreign, ce_correlationid: 'a\u001bb' }), '"correlationid" holds characters'],
    ['two ids', record({ ...foreign, CE_ID: '43' }), 'header "ce_id" has two values'],
    ['metadata that is not JSON', record({ ...foreign, ce_evtmetadata: 'x' }), 'evtmetadata as JSON'],
    ['metadata that is not an object', record({ ...foreign, ce_evtmetadata: '[1]' }), 'metadata as an object of texts'],
    ['metadata that is not text', record({ ...foreign, ce_evtmetadata: '{"a":1}' }), 'metadata.a as text'],
    ['data that is not JSON', record(foreign, '{"orderId"'), 'data as application/json'],
    ['data that is not UTF-8', record(foreign, Buffer.from([0x22, 0xff, 0x22])), 'not UTF-8'],
    ['another charset', record({ ...foreign, 'content-type': 'text/plain; charset=latin1' }), 'in latin1'],
    ['another format', document(parcel, 'application/cloudevents+avro'), 'got application/cloudevents+avro'],
    ['a batch', document(parcel, 'application/cloudevents-batch+json'), 'a batch, which has no place in one record'],
    ['half a document', record({ 'content-type': 'application/cloudevents+json' }, '{'), 'not JSON'],
    ['an array', record({ 'content-type': 'application/cloudevents+json' }, '[]'), 'got an array'],
    ['null', record({ 'content-type': 'application/cloudevents+json' }, 'null'), 'got null'],
    [
      'a document that is not UTF-8',
      record({ 'content-type': 'application/cloudevents+json' }, Buffer.from([0xff])),
      'UTF-8',
    ],
    ['an id that is a number', document({ ...parcel, id: 42 }), '"id" is number, not text'],
    ['a type that is an array', document({ ...parcel, type: ['a'] }), '"type" is an array, not text'],
    ['a source that is null', document({ ...parcel, source: null }), 'with the attribute "source", got an empty one'],
    ['data twice', document({ ...parcel, data_base64: 'AA==' }), 'got both'],
    ['base64 that is none', document({ ...parcel, data: undefined, data_base64: 'A!==' }), 'as base64 text'],
    ['base64 cut short', document({ ...parcel, data: undefined, data_base64: 'AAA' }), 'as base64 text'],
  ])('%s is undecodable', async (_what, message, says) => {
    const refused = expect(read(message)).rejects
    await refused.toThrow(UndecodableRecordError)
    await refused.toThrow(says)
  })

  test('the error never holds the data', async () => {
    const error = await read(record(foreign, 'card 4111 1111')).catch((thrown: unknown) => thrown)
    expect(String(error)).not.toContain('4111')
    expect(String(Object(error).cause)).not.toContain('4111')
  })
})

describe('among other formats', () => {
  const schemas: unknown[] = []
  const InAvro = defineEvent({
    type: 'OrderPlaced',
    topic: OrderPlaced.topic,
    schema: avroSchema<{ readonly orderId: string }>({
      type: 'record',
      name: 'OrderPlaced',
      fields: [{ name: 'orderId', type: 'string' }],
    }),
    key: ({ orderId }) => orderId,
  })
  const avro = createAvroCodec({
    lookup: {
      byId: async (id) => ({ id, document: schemas[id] }),
      byGuid: () => Promise.reject(new Error('no GUID is written here')),
      idOf: async (_subject, document) => schemas.push(document) - 1,
    },
    events: [InAvro],
  })
  const codec = codecPerTopic({ topics: { 'order-events': cloudEventsCodec() }, alsoReads: [avro] })

  test('a record of any of them is read', async () => {
    for (const writer of [jsonCodec, cloudEventsCodec(), cloudEventsCodec({ mode: 'structured' })])
      expect(await codec.decode(await written(writer))).toEqual(envelope)
    const { value, headers = [] } = await avro.encode(InAvro, envelope)
    expect(await codec.decode({ ...(await written()), value, headers })).toEqual(envelope)
  })

  test('a record without marks of CloudEvents is not taken for one', async () => {
    const { recognises } = cloudEventsCodec()
    expect(recognises(await written(jsonCodec))).toBe(false)
    expect(recognises(record({ 'content-type': 'application/json', ce_note: 'x', traceparent: '00' }))).toBe(false)
    expect(recognises(record({ ce_id: '1' }))).toBe(true)
  })
})
