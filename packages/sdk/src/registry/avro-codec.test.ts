import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { avroEncoder } from '../avro/avro-binary.ts'
import { avroSchema } from '../avro/avro-standard-schema.ts'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import type { Envelope } from '../core/envelope.ts'
import {
  InvalidConfigurationError,
  InvalidEventError,
  RegistryUnavailableError,
  SchemaNotRegisteredError,
  UndecodableRecordError,
  UnknownSchemaError,
} from '../core/errors.ts'
import { defineEvent, type EventDefinition } from '../core/event.ts'
import type { Header, RawMessage } from '../core/message.ts'
import { defineTopic } from '../core/topic.ts'
import { upcast } from '../core/upcast.ts'
import { createAvroCodec } from './avro-codec.ts'
import { schemaIdHeader } from './framing.ts'
import type { SchemaLookup } from './schema-lookup.ts'

const Orders = defineTopic({ name: 'order-events' })
const recordOf = (name: string, ...fields: readonly unknown[]) => ({ type: 'record', name, fields })
const id = { name: 'orderId', type: 'string' }
const total = { name: 'total', type: { type: 'long', js: 'bigint' } }
const placedAt = { name: 'placedAt', type: { type: 'long', logicalType: 'timestamp-millis' } }
const created = recordOf('shop.orders.v1.OrderCreated', id, total, placedAt)
const defineOrder = (document: unknown, options: { readonly type?: string; readonly version?: string } = {}) =>
  defineEvent({
    type: options.type ?? 'OrderCreated',
    version: options.version ?? 'v1',
    topic: Orders,
    schema: avroSchema<{ readonly orderId: string }>(document),
    key: ({ orderId }) => orderId,
  })
const OrderCreated = defineOrder(created)
const data = { orderId: 'o-1', total: 2n ** 60n, placedAt: new Date('2026-01-31T12:00:00.000Z') }
const guid = '89791762-2336-4186-9674-299b90a802e2'

const envelopeOf = (value: unknown, event: EventDefinition = OrderCreated): Envelope => ({
  eventId: 'e-1',
  eventType: event.type,
  eventVersion: event.version,
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: 'c-1',
  causationId: null,
  data: value,
  metadata: { userId: 'u-1' },
})
const carrying = (value: Buffer | null, headers: readonly Header[] = []): RawMessage => ({
  topic: 'order-events',
  key: null,
  value,
  headers,
})

/** A registry that has what it is given, and can be down. */
function registryWith(...events: readonly EventDefinition[]) {
  const schemas: unknown[] = []
  const subjects = new Map<string, number>()
  const registry = {
    down: false,
    asked: [] as string[],
    schemas,
    register(event: EventDefinition) {
      void createAvroCodec({ lookup: { ...lookup, idOf: learn }, events: [event] }).prepare()
    },
  }
  const ask = <Answer>(what: string, answer: Answer | undefined, missing: Error): Promise<Answer> => {
    registry.asked.push(what)
    if (registry.down) return Promise.reject(new RegistryUnavailableError('the registry is down'))
    return answer === undefined ? Promise.reject(missing) : Promise.resolve(answer)
  }
  const found = (index: number) =>
    schemas[index] === undefined ? undefined : { id: index + 1, document: schemas[index] }
  const lookup: SchemaLookup = {
    byId: (wanted) => ask(`id ${wanted}`, found(wanted - 1), new UnknownSchemaError(`no schema ${wanted}`)),
    byGuid: (wanted) =>
      ask(wanted, wanted === guid ? found(0) : undefined, new UnknownSchemaError(`no schema ${wanted}`)),
    idOf: (subject) => ask(subject, subjects.get(subject), new SchemaNotRegisteredError(`no subject ${subject}`)),
  }
  const learn = (subject: string, document: unknown) => {
    subjects.set(subject, schemas.push(document))
    return Promise.resolve(schemas.length)
  }
  for (const event of events) registry.register(event)
  return { registry, lookup }
}

const encoded = async (
  codec: ReturnType<typeof createAvroCodec>,
  value: unknown,
  event: EventDefinition = OrderCreated,
) => await codec.encode(event, envelopeOf(value, event))

describe('writing', () => {
  test('puts the id of the schema before the envelope, and reads it again', async () => {
    const { lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const { value, contentType, headers } = await encoded(codec, data)
    expect(value.subarray(0, 5)).toEqual(Buffer.from([0, 0, 0, 0, 1]))
    expect(contentType).toBe('application/vnd.confluent.avro')
    expect(headers).toBeUndefined()
    expect(codec.recognises(carrying(value))).toBe(true)
    const envelope = await codec.decode(carrying(value))
    expect(envelope).toEqual(envelopeOf(data))
    expect(Object.getPrototypeOf(envelope.metadata)).toBe(null)
  })

  test('asks for an id once, and takes no turn after it', async () => {
    const { registry, lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const first = [codec.encode(OrderCreated, envelopeOf(data)), codec.encode(OrderCreated, envelopeOf(data))]
    expect(first[0]).toBeInstanceOf(Promise)
    await Promise.all(first)
    expect(codec.encode(OrderCreated, envelopeOf(data))).not.toBeInstanceOf(Promise)
    expect(registry.asked).toEqual(['order-events-shop.orders.v1.OrderCreatedEnvelope'])
  })

  test('leaves a record as it is when the next one is written', async () => {
    const { lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const { value } = await encoded(codec, data)
    const before = Buffer.from(value)
    await encoded(codec, { ...data, orderId: 'another-one' })
    await encoded(codec, { ...data, orderId: 'x'.repeat(100_000) })
    expect(value).toEqual(before)
  })

  test('puts the id into a header where that is asked for', async () => {
    const { lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated], schemaIdIn: 'header' })
    const { value, contentType, headers } = await encoded(codec, data)
    expect(headers).toEqual([[schemaIdHeader, Buffer.from([0, 0, 0, 0, 1])]])
    expect(contentType).toBe('avro/binary')
    expect(await codec.decode(carrying(value, headers))).toEqual(envelopeOf(data))
  })

  test('refuses data that is not of the definition, with its path', async () => {
    const { lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    await expect(encoded(codec, { ...data, total: 'much' })).rejects.toThrow(InvalidEventError)
    await expect(encoded(codec, { ...data, total: 'much' })).rejects.toThrow('data.total: expected a bigint')
    await expect(encoded(codec, data)).resolves.toBeDefined()
  })

  test('asks again after the registry was down', async () => {
    const { registry, lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    registry.down = true
    await expect(encoded(codec, data)).rejects.toThrow(RegistryUnavailableError)
    registry.down = false
    await expect(encoded(codec, data)).resolves.toBeDefined()
  })

  test('names every event that is not registered, and the command that helps', async () => {
    const OrderLost = defineOrder(recordOf('shop.orders.v1.OrderLost', id), { type: 'OrderLost' })
    const OrderFound = defineOrder(recordOf('shop.orders.v1.OrderFound', id), { type: 'OrderFound' })
    const { registry, lookup } = registryWith(OrderCreated)
    const codec = createAvroCodec({ lookup, events: [OrderCreated, OrderLost, OrderFound] })
    await expect(codec.prepare([OrderCreated])).resolves.toBeUndefined()
    await expect(codec.prepare()).rejects.toThrow(SchemaNotRegisteredError)
    await expect(codec.prepare()).rejects.toThrow(
      /OrderLost v1 \(subject "order-events-shop.*OrderFound v1.*evt schema push/,
    )
    registry.down = true
    await expect(codec.prepare()).rejects.toThrow(RegistryUnavailableError)
  })

  test('refuses an event that is not defined by an Avro schema', async () => {
    const { lookup } = registryWith()
    const Noted = defineEvent({ type: 'Noted', topic: Orders, schema: z.string(), key: () => 'k' })
    expect(() => createAvroCodec({ lookup, events: [Noted] })).toThrow(InvalidConfigurationError)
    const codec = createAvroCodec({ lookup, events: [] })
    await expect(encoded(codec, 'hello', Noted)).rejects.toThrow('Noted v1 cannot be written as Avro')
  })

  test('refuses two different records of one name', () => {
    const { lookup } = registryWith()
    const Other = defineOrder(recordOf('shop.orders.v1.OrderCreated', id), { type: 'OrderChanged' })
    expect(() => createAvroCodec({ lookup, events: [OrderCreated, Other] })).toThrow(InvalidConfigurationError)
  })
})

describe('reading', () => {
  const written = async () => {
    const { registry, lookup } = registryWith(OrderCreated)
    const { value } = await encoded(createAvroCodec({ lookup, events: [OrderCreated] }), data)
    return { registry, lookup, value, body: value.subarray(5) }
  }
  const byGuid = Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex')

  test.each<[string, (value: Buffer, body: Buffer) => RawMessage]>([
    ['the id before it', (value) => carrying(value)],
    ['the GUID before it', (_value, body) => carrying(Buffer.concat([byGuid, body]))],
    [
      'the id in the header',
      (value, body) =>
        carrying(body, [
          ['a', Buffer.of(1)],
          [schemaIdHeader, value.subarray(0, 5)],
        ]),
    ],
    ['the GUID in the header', (_value, body) => carrying(body, [[schemaIdHeader, byGuid]])],
  ])('a record with %s, asking the registry once', async (_what, record) => {
    const { registry, lookup, value, body } = await written()
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    registry.asked.length = 0
    const message = record(value, body)
    expect(codec.recognises(message)).toBe(true)
    expect(await Promise.all([codec.decode(message), codec.decode(message)])).toEqual([
      envelopeOf(data),
      envelopeOf(data),
    ])
    expect(codec.decode(message)).toEqual(envelopeOf(data))
    expect(registry.asked).toHaveLength(1)
  })

  test('a record written before a field was added', async () => {
    const { lookup, value } = await written()
    const Grown = defineOrder(
      recordOf('shop.orders.v1.OrderCreated', id, { name: 'note', type: 'string', default: '-' }),
    )
    const codec = createAvroCodec({ lookup, events: [Grown] })
    expect(await codec.decode(carrying(value))).toEqual(envelopeOf({ orderId: 'o-1', note: '-' }))
  })

  test('a record of an older version as what it was, for the upcaster', async () => {
    const { lookup, value } = await written()
    const V2 = defineOrder(recordOf('shop.orders.v2.OrderCreated', id), { version: 'v2' })
    const Both = upcast(V2, OrderCreated, ({ orderId }) => ({ orderId }))
    const codec = createAvroCodec({ lookup, events: [Both] })
    expect(await codec.decode(carrying(value))).toEqual(envelopeOf(data))
  })

  test('a record of an event that nobody here knows, as it was written', async () => {
    const { lookup, value } = await written()
    const codec = createAvroCodec({ lookup, events: [] })
    expect(await codec.decode(carrying(value))).toEqual(envelopeOf(data))
  })

  test('nothing else', async () => {
    const { lookup } = await written()
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const others = [
      carrying(Buffer.from('{}')),
      carrying(Buffer.of(0, 0, 0)),
      carrying(byGuid.subarray(0, 9)),
      carrying(null),
    ]
    for (const message of others) {
      expect(codec.recognises(message)).toBe(false)
      expect(() => codec.decode(message)).toThrow(UndecodableRecordError)
    }
    // A header that names no schema leaves nothing to read the value with.
    expect(codec.recognises(carrying(Buffer.of(0, 0, 0, 0, 1), [[schemaIdHeader, Buffer.of(7)]]))).toBe(false)
  })

  test('an id that the registry does not have is a rejection, and one that cannot be asked for is an outage', async () => {
    const { registry, lookup } = await written()
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const message = carrying(Buffer.of(0, 0, 0, 0, 9, 1))
    await expect(codec.decode(message)).rejects.toThrow(UnknownSchemaError)
    registry.down = true
    await expect(codec.decode(message)).rejects.toThrow(RegistryUnavailableError)
    registry.down = false
    await expect(codec.decode(message)).rejects.toThrow(UnknownSchemaError)
    expect(() => codec.decode(carrying(Buffer.of(0, 255, 255, 255, 255)))).toThrow(
      'expected the id of a schema, got -1',
    )
  })

  test.each<[string, (value: Buffer) => Buffer, string]>([
    ['cut', (value) => value.subarray(0, 20), 'expected text'],
    ['with bytes left over', (value) => Buffer.concat([value, Buffer.of(7)]), 'expected the end of the record'],
    [
      'of an absurd length',
      (value) => Buffer.concat([value.subarray(0, 5), Buffer.of(0xfe, 0xff, 0xff, 0xff, 0x0f)]),
      'text of 2147483647 byte(s)',
    ],
    [
      'without an id',
      (value) => Buffer.concat([value.subarray(0, 5), Buffer.of(0), value.subarray(9)]),
      'eventId as text, got an empty one',
    ],
  ])('a record %s is a rejection that names the schema', async (_what, damage, message) => {
    const { lookup, value } = await written()
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const decode = async () => codec.decode(carrying(damage(value)))
    await expect(decode()).rejects.toThrow(UndecodableRecordError)
    await expect(decode()).rejects.toThrow(message)
    await expect(decode()).rejects.toThrow('schema id 1, shop.orders.v1.OrderCreatedEnvelope')
  })

  test('a record whose schema does not fit is a rejection that says where', async () => {
    const { lookup, value } = await written()
    const Changed = defineOrder(recordOf('shop.orders.v1.OrderCreated', id, { name: 'total', type: 'string' }))
    const codec = createAvroCodec({ lookup, events: [Changed] })
    await expect(async () => codec.decode(carrying(value))).rejects.toThrow(
      'data.total: long was written, string is expected',
    )
  })

  test.each<[string, unknown, string]>([
    [
      'a record that is no envelope',
      recordOf('shop.Click', { name: 'x', type: 'int' }),
      'a record shop.Click without eventId, eventType',
    ],
    ['what is no record', 'string', 'expected an event envelope, got a string'],
    ['what is not Avro', { type: 'object', properties: {} }, 'not an Avro schema: schema id'],
  ])('%s is a rejection', async (_what, document, message) => {
    const { registry, lookup } = registryWith()
    registry.schemas.push(document)
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const record = carrying(Buffer.of(0, 0, 0, 0, 1, 2))
    await expect(codec.decode(record)).rejects.toThrow(message)
    expect(() => codec.decode(record)).toThrow(UndecodableRecordError)
    expect(registry.asked).toEqual(['id 1'])
  })

  test('an envelope of a producer that knows less of it', async () => {
    const { registry, lookup } = registryWith()
    const texts = ['eventId', 'eventType', 'eventVersion', 'timestamp', 'source', 'correlationId']
    const plain = recordOf('other.Envelope', ...texts.map((name) => ({ name, type: 'string' })), {
      name: 'data',
      type: 'int',
    })
    registry.schemas.push(plain)
    const fields = Object.fromEntries(texts.map((name) => [name, name]))
    const bytes = avroEncoder(parseAvroSchema(plain))({ ...fields, data: 5 })
    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const envelope = await codec.decode(carrying(Buffer.concat([Buffer.of(0, 0, 0, 0, 1), bytes])))
    expect(envelope).toEqual({ ...fields, causationId: null, data: 5, metadata: {} })
  })
})
