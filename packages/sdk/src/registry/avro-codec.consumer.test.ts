/** One consumer, and records in every form that a topic may hold after some years. */
import { afterEach, expect, test, vi } from 'vitest'
import { avroRecordOf, avroSchema } from '../avro/avro-standard-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { codecPerTopic } from '../core/codec-per-topic.ts'
import { createConsumer } from '../core/consumer.ts'
import { RegistryUnavailableError } from '../core/errors.ts'
import { defineEvent, type EventDefinition } from '../core/event.ts'
import { silentLogger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import type { Sender } from '../core/transport.ts'
import { upcast } from '../core/upcast.ts'
import { createMemoryBroker } from '../memory/memory-broker.ts'
import { collectRejections } from '../testing/rejections.ts'
import { createAvroCodec } from './avro-codec.ts'
import { envelopeRecord, subjectOf } from './envelope-record.ts'
import { schemaIdHeader } from './framing.ts'
import type { SchemaLookup } from './schema-lookup.ts'
import { createSchemaRegistry } from './server/schema-registry.ts'

const Payments = defineTopic({ name: 'payment-events', partitions: 1 })
const text = (name: string, more: object = {}) => ({ name, type: 'string', ...more })
const failed = (version: string, ...fields: readonly object[]) => ({
  type: 'record',
  name: `shop.payments.${version}.PaymentFailed`,
  fields: [text('paymentId'), ...fields],
})
const failedAt = { name: 'failedAt', type: { type: 'long', logicalType: 'timestamp-millis' } }

interface V1 {
  readonly paymentId: string
  readonly code: string
  readonly failedAt: Date
}
interface V2 {
  readonly paymentId: string
  readonly reason: string
  readonly failedAt: Date
}
const define = <Data extends { readonly paymentId: string }>(version: string, document: unknown) =>
  defineEvent({
    type: 'PaymentFailed',
    version,
    topic: Payments,
    schema: avroSchema<Data>(document),
    key: ({ paymentId }) => paymentId,
  })
/** As it was first registered, before it said when. */
const FirstV1 = define<{ readonly paymentId: string; readonly code: string }>('v1', failed('v1', text('code')))
const PaymentFailedV1 = define<V1>('v1', failed('v1', text('code'), { ...failedAt, default: 0 }))
const PaymentFailedV2 = define<V2>('v2', failed('v2', text('reason'), failedAt))
const PaymentFailed = upcast(PaymentFailedV2, PaymentFailedV1, ({ code, ...rest }) => ({
  ...rest,
  reason: `code ${code}`,
}))

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function setUp() {
  const registry = createSchemaRegistry().client()
  closing.push(() => registry.close())
  for (const event of [FirstV1, PaymentFailedV1, PaymentFailedV2]) {
    const data = avroRecordOf(event)
    if (data === undefined) throw new Error('expected an event that is defined by an Avro schema')
    const record = envelopeRecord(data)
    await registry.register(subjectOf(Payments.name, record), printAvroSchema(record))
  }
  const broker = createMemoryBroker({ logger: silentLogger })
  closing.push(() => broker.close())
  await broker.createTopics([Payments])
  const rejections = collectRejections()
  const handled: V2[] = []
  const start = async (lookup: SchemaLookup = registry) => {
    const codec = codecPerTopic({ topics: { [Payments.name]: createAvroCodec({ lookup, events: [PaymentFailed] }) } })
    const consumer = createConsumer({
      source: broker,
      group: 'g',
      rejected: rejections.handler,
      logger: silentLogger,
      codec,
    })
    consumer.on(PaymentFailed, ({ data }) => void handled.push(data))
    closing.push(() => consumer.close().catch(() => {}))
    await consumer.start()
  }
  const writer = (event: EventDefinition, change: (message: RawMessage) => RawMessage = (message) => message) => {
    const sender: Sender = { send: (messages) => broker.send(messages.map(change)) }
    return createProducer({ sender, source: 'payments', codec: createAvroCodec({ lookup: registry, events: [event] }) })
  }
  return { registry, broker, rejections, handled, start, writer }
}

/** The same record with its schema named in another way. */
const reframed = (frame: (id: Buffer) => Buffer, where: 'value' | 'header') => (message: RawMessage) => {
  if (message.value === null) throw new Error('expected a value')
  const body = message.value.subarray(5)
  const name = frame(message.value.subarray(0, 5))
  return where === 'header'
    ? { ...message, value: body, headers: [...message.headers, [schemaIdHeader, name] as const] }
    : { ...message, value: Buffer.concat([name, body]) }
}

test('old and new records in JSON and Avro reach the handler as the version it knows', async () => {
  const { broker, registry, rejections, handled, start, writer } = await setUp()
  const guids = new Map<number, Buffer>([
    [1, Buffer.alloc(16, 1)],
    [2, Buffer.alloc(16, 2)],
    [3, Buffer.alloc(16, 3)],
  ])
  const guidOf = (id: Buffer) => Buffer.concat([Buffer.of(1), guids.get(id.readInt32BE(1)) ?? Buffer.alloc(0)])
  const lookup: SchemaLookup = {
    byId: (id) => registry.byId(id),
    idOf: (subject, document) => registry.idOf(subject, document),
    byGuid: (guid) => registry.byId(Number(guid[1])),
  }
  const at = new Date('2026-01-31T12:00:00.000Z')
  const json = createProducer({ sender: broker, source: 'payments' })

  await writer(FirstV1).publish(FirstV1, { paymentId: 'first', code: '51' })
  await json.publish(PaymentFailedV1, { paymentId: 'json-v1', code: '51', failedAt: at })
  await json.publish(PaymentFailedV2, { paymentId: 'json-v2', reason: 'funds', failedAt: at })
  await writer(PaymentFailedV1).publish(PaymentFailedV1, { paymentId: 'avro-v1', code: '51', failedAt: at })
  await writer(PaymentFailedV2).publish(PaymentFailedV2, { paymentId: 'avro-v2', reason: 'funds', failedAt: at })
  const byGuid = writer(PaymentFailedV2, reframed(guidOf, 'value'))
  await byGuid.publish(PaymentFailedV2, { paymentId: 'guid', reason: 'funds', failedAt: at })
  const inHeader = writer(
    PaymentFailedV1,
    reframed((id) => id, 'header'),
  )
  await inHeader.publish(PaymentFailedV1, { paymentId: 'header', code: '51', failedAt: at })
  const guidInHeader = writer(PaymentFailedV2, reframed(guidOf, 'header'))
  await guidInHeader.publish(PaymentFailedV2, { paymentId: 'header-guid', reason: 'funds', failedAt: at })

  await start(lookup)
  await vi.waitFor(() => expect(handled).toHaveLength(8))
  const upcasted = { reason: 'code 51', failedAt: at }
  const direct = { reason: 'funds', failedAt: at }
  const byId = (a: V2, b: V2) => a.paymentId.localeCompare(b.paymentId)
  expect([...handled].sort(byId)).toEqual(
    [
      { paymentId: 'first', reason: 'code 51', failedAt: new Date(0) },
      { paymentId: 'json-v1', ...upcasted },
      { paymentId: 'json-v2', ...direct },
      { paymentId: 'avro-v1', ...upcasted },
      { paymentId: 'avro-v2', ...direct },
      { paymentId: 'guid', ...direct },
      { paymentId: 'header', ...upcasted },
      { paymentId: 'header-guid', ...direct },
    ].sort(byId),
  )
  expect(rejections.list).toEqual([])
})

test('a record that no registry knows and one that was cut are set aside, and the next ones are handled', async () => {
  const { rejections, handled, start, writer } = await setUp()
  const data = { reason: 'funds', failedAt: new Date(0) }
  const unknown = writer(
    PaymentFailedV2,
    reframed(() => Buffer.of(0, 0, 0, 0, 99), 'value'),
  )
  await unknown.publish(PaymentFailedV2, { paymentId: 'unknown', ...data })
  const cut = writer(PaymentFailedV2, (message) => ({ ...message, value: message.value?.subarray(0, 30) ?? null }))
  await cut.publish(PaymentFailedV2, { paymentId: 'cut', ...data })
  await writer(PaymentFailedV2).publish(PaymentFailedV2, { paymentId: 'whole', ...data })
  await start()
  await vi.waitFor(() => expect(handled).toEqual([{ paymentId: 'whole', ...data }]))
  await vi.waitFor(() =>
    expect(rejections.list.map(({ error }) => error.code)).toEqual(['EVT_UNKNOWN_SCHEMA', 'EVT_UNDECODABLE_RECORD']),
  )
})

test('while the registry is down nothing is set aside, and the records are handled once it is back', async () => {
  const { registry, rejections, handled, start, writer } = await setUp()
  const data = { paymentId: 'p-1', reason: 'funds', failedAt: new Date(0) }
  await writer(PaymentFailedV2).publish(PaymentFailedV2, data)
  let asked = 0
  await start({
    ...registry,
    idOf: (subject, document) => registry.idOf(subject, document),
    byGuid: (guid) => registry.byGuid(guid),
    byId: (id) =>
      ++asked < 3 ? Promise.reject(new RegistryUnavailableError('the registry is down')) : registry.byId(id),
  })
  await vi.waitFor(() => expect(handled).toEqual([data]), { timeout: 10_000 })
  expect(asked).toBe(3)
  expect(rejections.list).toEqual([])
})
