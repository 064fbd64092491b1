/** What other clients write is read here, and what is written here they read. */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { avroRecordOf, avroSchema } from '../avro/avro-standard-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import type { Envelope } from '../core/envelope.ts'
import { defineEvent } from '../core/event.ts'
import { defineTopic } from '../core/topic.ts'
import { type AvroCodec, createAvroCodec } from './avro-codec.ts'
import { envelopeRecord, subjectOf } from './envelope-record.ts'
import { createRegistryClient, type RegistryClient } from './registry-client.ts'
import { createRegistryServer } from './server/registry-server.ts'

/** Without logical types, for which the other client has no forms of its own. */
const document = {
  type: 'record',
  name: 'shop.orders.v1.OrderCreated',
  fields: [
    { name: 'orderId', type: 'string' },
    { name: 'total', type: 'long' },
    { name: 'currency', type: { type: 'enum', name: 'Currency', symbols: ['OTHER', 'EUR'], default: 'OTHER' } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'counts', type: { type: 'map', values: 'int' } },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'weight', type: ['null', 'int', 'double'], default: null },
  ],
}
const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: defineTopic({ name: 'order-events' }),
  schema: avroSchema<{ readonly orderId: string }>(document),
  key: ({ orderId }) => orderId,
})
const envelope: Envelope = {
  eventId: 'e-1',
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: 'c-1',
  causationId: 'e-0',
  data: {
    orderId: 'größer',
    total: 2 ** 40,
    currency: 'EUR',
    tags: ['a', 'b'],
    counts: { one: 1 },
    note: null,
    weight: { double: 0.5 },
  },
  metadata: { userId: 'u-1' },
}

const server = createRegistryServer()
let client: RegistryClient
let codec: AvroCodec
let peer: SchemaRegistry
let id: number

beforeAll(async () => {
  await server.start()
  client = createRegistryClient({ url: server.url })
  peer = new SchemaRegistry({ host: server.url })
  const data = avroRecordOf(OrderCreated)
  if (data === undefined) throw new Error('expected an event that is defined by an Avro schema')
  const record = envelopeRecord(data)
  const subject = subjectOf('order-events', record)
  // Registered by the other client, so that what it makes of the schema is found again, too.
  const registered = await peer.register(
    { type: SchemaType.AVRO, schema: JSON.stringify(printAvroSchema(record)) },
    { subject },
  )
  id = registered.id
  codec = createAvroCodec({ lookup: client, events: [OrderCreated] })
  await codec.prepare()
})
afterAll(async () => {
  await client.close()
  await server.close()
})

const message = (value: Buffer) => ({ topic: 'order-events', key: null, value, headers: [] })

test('the other client reads what is written here', async () => {
  const { value } = await codec.encode(OrderCreated, envelope)
  expect(JSON.parse(JSON.stringify(await peer.decode(value)))).toEqual(envelope)
})

test('what the other client writes is read here, and is the same bytes', async () => {
  const value = await peer.encode(id, envelope)
  expect(await codec.decode(message(value))).toEqual(envelope)
  expect((await codec.encode(OrderCreated, envelope)).value).toEqual(value)
})
