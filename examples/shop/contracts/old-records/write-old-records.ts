/**
 * Writes a record of each event version that has none yet, with today's codecs and made-up data. Never touches one that is there.
 *
 * node --conditions=@evtkit/source --import tsx examples/shop/contracts/old-records/write-old-records.ts
 */
import { existsSync, writeFileSync } from 'node:fs'
import { createProducer, type EventDefinition, jsonCodec, type RawMessage } from '@evtkit/sdk'
import { type AvroSchema, avroRecordOf, isWrappedUnion, logicalFormOf, printAvroSchema } from '@evtkit/sdk/avro'
import { createAvroCodec, envelopeRecord } from '@evtkit/sdk/registry'
import { allEvents, PaymentFailedV1 } from '../index.ts'
import { oldRecordFile, writerId } from './old-record.ts'

const lookup = {
  idOf: async () => writerId,
  byId: () => Promise.reject(new Error('nothing is read here')),
  byGuid: () => Promise.reject(new Error('nothing is read here')),
}

/** Made-up data of a schema. Strings say where they stand, numbers are small, and what may be null is not. */
function sample(schema: AvroSchema, name: string): unknown {
  switch (schema.kind) {
    case 'null':
      return null
    case 'boolean':
      return true
    case 'string':
      return name === 'currency' ? 'EUR' : name === 'country' ? 'DE' : `${name} 1 ü`
    case 'enum':
      return schema.symbols[0]
    case 'array':
      return [sample(schema.items, name), sample(schema.items, name)]
    case 'map':
      return { [`${name} key`]: sample(schema.values, name) }
    case 'record':
      return Object.fromEntries(schema.fields.map((field) => [field.name, sample(field.type, field.name)]))
    case 'union': {
      const branch = schema.branches.find(({ kind }) => kind !== 'null') ?? { kind: 'null', attributes: {} }
      return isWrappedUnion(schema)
        ? { ['name' in branch ? branch.name : branch.kind]: sample(branch, name) }
        : sample(branch, name)
    }
    default:
      return sampleForm(schema)
  }
}

function sampleForm(
  schema: Exclude<
    AvroSchema,
    { readonly kind: 'null' | 'boolean' | 'string' | 'enum' | 'array' | 'map' | 'record' | 'union' }
  >,
) {
  switch (logicalFormOf(schema)) {
    case 'timestamp':
      return new Date('2026-11-24T12:34:56.789Z')
    case 'date':
      return '2026-11-24'
    case 'bigint':
      return 2n ** 60n
    case 'decimal':
      return '12.34'
    case 'uuid':
      return '0199e0c4-5d5e-7abc-8def-0123456789ab'
    case undefined:
      return schema.kind === 'bytes' || schema.kind === 'fixed' ? Buffer.alloc(4, 1) : 42
  }
}

async function written(
  event: EventDefinition,
  data: unknown,
  codec: Parameters<typeof createProducer>[0]['codec'] & {},
) {
  const sent: RawMessage[] = []
  const sender = { send: async (messages: readonly RawMessage[]) => void sent.push(...messages) }
  const newId = () => '0199e0c4-5d5e-7abc-8def-0123456789ab'
  // Safe: the schema validates it.
  const anyEvent = event as EventDefinition<string, unknown, unknown>
  await createProducer({ sender, source: 'old-service', codec, newId }).publish(anyEvent, data, {
    metadata: { userId: 'user 1' },
  })
  return sent[0]?.value?.toString('base64') ?? ''
}

for (const event of [...allEvents, PaymentFailedV1]) {
  const { type, version } = event
  const file = oldRecordFile({ event: type, version })
  const record = avroRecordOf(event)
  if (existsSync(file) || record === undefined) continue
  const data = sample(record, type)
  const avro = createAvroCodec({ lookup, events: [event] })
  const kept = {
    event: type,
    version,
    data,
    json: await written(event, data, jsonCodec),
    avro: { value: await written(event, data, avro), writer: printAvroSchema(envelopeRecord(record)) },
  }
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`)
  console.log(`wrote ${file}`)
}
