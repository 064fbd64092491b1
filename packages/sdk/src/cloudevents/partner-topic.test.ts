import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { codecPerTopic } from '../core/codec-per-topic.ts'
import { type Consumer, createConsumer } from '../core/consumer.ts'
import type { Envelope } from '../core/envelope.ts'
import { UndecodableRecordError, UnknownEventError } from '../core/errors.ts'
import { defineEvent } from '../core/event.ts'
import { silentLogger } from '../core/logger.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import { createMemoryBroker, type MemoryBroker } from '../memory/memory-broker.ts'
import { cloudEventsCodec } from './cloud-events-codec.ts'

const Parcels = defineTopic({ name: 'partner-parcels', partitions: 2 })
const ParcelHandedOver = defineEvent({
  type: 'ParcelHandedOver',
  version: 'v2',
  topic: Parcels,
  schema: z.object({ orderId: z.string(), place: z.string() }),
  key: (parcel) => parcel.orderId,
})
const ParcelReturned = defineEvent({
  type: 'ParcelReturned',
  topic: Parcels,
  schema: z.object({ orderId: z.string() }),
  key: (parcel) => parcel.orderId,
})
const codec = codecPerTopic({
  topics: {
    'partner-parcels': cloudEventsCodec({
      typePrefix: 'com.shop.',
      types: { 'com.partner.parcel.handed-over.v2': { type: 'ParcelHandedOver', version: 'v2' } },
      metadataFrom: ['tenantid'],
    }),
  },
})

let broker: MemoryBroker
let consumer: Consumer
afterEach(async () => {
  await consumer.close()
  await broker.close()
})

test('a consumer reads the topic of a partner, and answers there in the same format', async () => {
  broker = createMemoryBroker({ logger: silentLogger })
  await broker.createTopics([Parcels])
  const handled: Envelope[] = []
  const rejected: unknown[] = []
  consumer = createConsumer({
    source: broker,
    group: 'tracking',
    codec,
    logger: silentLogger,
    rejected: ({ error }) => void rejected.push(error),
  })
  const answering = createProducer({ sender: broker, source: 'tracking-service', codec })
  consumer.on(ParcelHandedOver, async (event) => {
    handled.push(event)
    await answering.causedBy(event).publish(ParcelReturned, { orderId: event.data.orderId })
  })
  consumer.on(ParcelReturned, (event) => void handled.push(event))
  await consumer.start()

  const theirs = (headers: Readonly<Record<string, string>>, value: string) => ({
    topic: Parcels.name,
    key: Buffer.from('o-1'),
    value: Buffer.from(value),
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
  })
  const attributes = { ce_specversion: '1.0', ce_id: '7', ce_source: '/partner', 'content-type': 'application/json' }
  const data = '{"orderId":"o-1","place":"Łódź"}'
  await broker.send([
    theirs({ ...attributes, ce_type: 'com.partner.parcel.lost' }, data),
    theirs({ ...attributes, ce_type: 'com.partner.parcel.handed-over.v2', ce_specversion: '2.0' }, data),
    theirs({ ...attributes, ce_type: 'com.partner.parcel.handed-over.v2', ce_tenantid: 't-1' }, data),
  ])

  await vi.waitFor(() => expect(handled).toHaveLength(2))
  const [parcel, answer] = handled
  expect(parcel).toMatchObject({
    eventId: '/partner|7',
    eventType: 'ParcelHandedOver',
    eventVersion: 'v2',
    data: { orderId: 'o-1', place: 'Łódź' },
    metadata: { tenantid: 't-1' },
  })
  expect(answer).toMatchObject({
    eventType: 'ParcelReturned',
    correlationId: '/partner|7',
    causationId: '/partner|7',
    metadata: { tenantid: 't-1' },
  })
  expect(rejected[0]).toBeInstanceOf(UnknownEventError)
  expect(String(rejected[0])).toContain('com.partner.parcel.lost v1')
  expect(rejected[1]).toBeInstanceOf(UndecodableRecordError)
  const sent = broker.records(Parcels.name).at(-1)?.message
  expect(sent?.headers.find(([name]) => name === 'ce_type')?.[1].toString()).toBe('com.shop.ParcelReturned')
})
