/** Data is completed and checked when it is published, and leniently read, whichever format carries it. */
import { describe, expect, test } from 'vitest'
import { avroRecordOf, avroSchema } from '../avro/avro-standard-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { cloudEventsCodec } from '../cloudevents/cloud-events-codec.ts'
import { type Codec, jsonCodec } from '../core/codec.ts'
import { defineEvent, fact, validate } from '../core/event.ts'
import type { RawMessage } from '../core/message.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import { createAvroCodec } from './avro-codec.ts'
import { envelopeRecord, subjectOf } from './envelope-record.ts'
import { createSchemaRegistry } from './server/schema-registry.ts'

interface Address {
  readonly city: string
  readonly country: string
}
interface Parcel {
  readonly region: string
  readonly to: Address
  readonly size: 'SMALL' | 'LARGE' | 'OTHER'
  readonly sizes: readonly Parcel['size'][]
  readonly sentAt: Date
}
interface ParcelInput extends Partial<Omit<Parcel, 'to'>> {
  readonly to: { readonly city: string; readonly country?: string }
}

const size = { type: 'enum', name: 'Size', symbols: ['SMALL', 'LARGE', 'OTHER'], default: 'OTHER' }
const parcel = (symbols: object = size) => ({
  type: 'record',
  name: 'shop.ParcelSent',
  fields: [
    { name: 'region', type: 'string', default: 'north' },
    {
      name: 'to',
      type: {
        type: 'record',
        name: 'Address',
        fields: [
          { name: 'city', type: 'string' },
          { name: 'country', type: 'string', default: 'DE' },
        ],
      },
    },
    { name: 'size', type: symbols, default: 'SMALL' },
    { name: 'sizes', type: { type: 'array', items: 'Size' }, default: [] },
    { name: 'sentAt', type: { type: 'long', logicalType: 'timestamp-millis' }, default: 0 },
  ],
})
const Parcels = defineTopic({ name: 'parcels' })
const ParcelSent = defineEvent({
  type: 'ParcelSent',
  topic: Parcels,
  schema: avroSchema<Parcel, ParcelInput>(parcel()),
  key: ({ region, to }) => `${region}/${to.country}`,
})
/** As somebody newer knows it. */
const newer = { ...size, symbols: [...size.symbols, 'HUGE'] }
const NewerParcelSent = defineEvent({
  type: 'ParcelSent',
  topic: Parcels,
  schema: avroSchema<Omit<Parcel, 'size'> & { readonly size: string }>(parcel(newer)),
  key: ({ region }) => region,
})
const completed = {
  region: 'north',
  to: { city: 'Ulm', country: 'DE' },
  size: 'SMALL' as const,
  sizes: [],
  sentAt: new Date(0),
}

const registry = createSchemaRegistry().client()
for (const event of [ParcelSent, NewerParcelSent]) {
  const data = avroRecordOf(event)
  if (data === undefined) throw new Error('expected an event that is defined by an Avro schema')
  const record = envelopeRecord(data)
  await registry.register(subjectOf(Parcels.name, record), printAvroSchema(record))
}

describe.each<[string, (event: typeof ParcelSent | typeof NewerParcelSent) => Codec]>([
  ['JSON', () => jsonCodec],
  ['Avro', (event) => createAvroCodec({ lookup: registry, events: [event] })],
  ['CloudEvents', () => cloudEventsCodec()],
])('as %s', (_, codecFor) => {
  const sent: RawMessage[] = []
  const sender = { send: async (messages: readonly RawMessage[]) => void sent.splice(0, sent.length, ...messages) }
  const producer = createProducer({ sender, source: 'post', codec: codecFor(ParcelSent) })
  const read = async () => {
    const [message] = sent
    if (message === undefined) throw new Error('expected a record')
    return validate(ParcelSent, (await codecFor(ParcelSent).decode(message)).data)
  }

  test('what has a default may be left out, and reaches the key, the envelope and every reader', async () => {
    const envelope = await producer.publish(ParcelSent, { to: { city: 'Ulm' } })
    expect(envelope.data).toEqual(completed)
    expect(String(sent[0]?.key)).toBe('north/DE')
    expect(await read()).toEqual({ data: completed })
    await producer.publishAll([fact(ParcelSent, { region: 'south', to: { city: 'Ulm' } })])
    expect(String(sent[0]?.key)).toBe('south/DE')
    expect(await read()).toEqual({ data: { ...completed, region: 'south' } })
  })

  test('a symbol that the enum does not have is refused, with its path and the symbols', async () => {
    sent.length = 0
    // As from a program without types: here the compiler would refuse it.
    const data = { to: { city: 'Ulm' }, size: 'HUGE', sizes: ['SMALL', 'TINY'] } as unknown as ParcelInput
    await expect(producer.publish(ParcelSent, data)).rejects.toMatchObject({
      code: 'EVT_INVALID_EVENT',
      issues: [
        { path: 'size', message: 'expected one of SMALL, LARGE, OTHER, got "HUGE"' },
        { path: 'sizes.1', message: 'expected one of SMALL, LARGE, OTHER, got "TINY"' },
      ],
    })
    expect(sent).toEqual([])
  })

  test('a symbol that somebody newer has written is read as the default', async () => {
    const newerProducer = createProducer({ sender, source: 'post', codec: codecFor(NewerParcelSent) })
    await newerProducer.publish(NewerParcelSent, { ...completed, size: 'HUGE' })
    expect(await read()).toEqual({ data: { ...completed, size: 'OTHER' } })
  })
})
