import { join } from 'node:path'
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser'
import { Parser } from '@asyncapi/parser'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { InvalidContractError } from '../core/errors.ts'
import { envelopeRecord } from '../registry/envelope-record.ts'
import { asyncApiAvro } from './asyncapi-avro.ts'
import { asyncApiDocument } from './asyncapi-document.ts'
import { folderFiles } from './contract-files.ts'
import type { Contracts, EventContract, TopicContract } from './contracts.ts'
import { readContracts } from './read-contracts.ts'

const schemas = join(import.meta.dirname, '../../../../schemas')

const parser = new Parser()
parser.registerSchemaParser(AvroSchemaParser())
const parse = async (document: unknown) => {
  const { document: parsed, diagnostics } = await parser.parse(JSON.stringify(document))
  return { parsed, faults: diagnostics.map(({ message, path }) => `${path.join('.')}: ${message}`) }
}

const topic = (name: string, more: Partial<TopicContract> = {}): TopicContract => ({
  name,
  partitions: 3,
  retentionMs: 7 * 86_400_000,
  cleanup: 'delete',
  replicas: undefined,
  key: 'id',
  owner: 'things',
  description: `Facts of ${name}`,
  external: false,
  events: ['ThingMade'],
  ...more,
})
const event = (version: string, fields: readonly unknown[], on: TopicContract): EventContract => {
  const data = parseAvroSchema({
    type: 'record',
    name: 'ThingMade',
    namespace: `shop.things.${version}`,
    aliases: ['ThingBuilt', 'elsewhere.ThingBuilt'],
    doc: 'A thing was made.',
    fields: [{ name: 'id', type: 'string', doc: 'Which.' }, ...fields],
  })
  if (data.kind !== 'record') throw new Error('expected a record')
  return {
    type: 'ThingMade',
    version,
    domain: 'things',
    topic: on,
    key: 'id',
    data,
    file: `things/ThingMade.${version}.avsc`,
  }
}
const everyType = [
  ...['boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].map((type) => ({ name: `a_${type}`, type })),
  { name: 'nothing', type: 'null', default: null },
  { name: 'big', type: { type: 'long', js: 'bigint' } },
  { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  { name: 'day', type: { type: 'int', logicalType: 'date' } },
  { name: 'uuid', type: { type: 'string', logicalType: 'uuid' } },
  { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
  { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 16 } },
  {
    name: 'colour',
    type: { type: 'enum', name: 'Colour', symbols: ['RED', 'OTHER'], default: 'OTHER' },
    doc: 'Which.',
  },
  { name: 'other', type: { type: 'record', name: 'Plain', namespace: '', fields: [{ name: 'a', type: 'int' }] } },
  { name: 'owner', type: 'string', pii: true },
  { name: 'labels', type: { type: 'map', values: 'string' }, default: {} },
  { name: 'parts', type: { type: 'array', items: 'ThingMade' }, default: [] },
  { name: 'parent', type: ['null', 'ThingMade'], default: null },
  { name: 'mixed', type: ['string', 'Hash', { type: 'array', items: 'int' }] },
  // Looks like a schema with a full name, and is a value.
  { name: 'like', type: { type: 'map', values: 'string' }, default: { type: 'record', name: 'a.b' } },
]
const things = topic('things')
const everything: Contracts = {
  topics: [
    things,
    topic('kept', {
      retentionMs: -1,
      cleanup: 'compact,delete',
      replicas: 3,
      external: true,
      owner: 'partner',
      events: [],
    }),
  ],
  events: [event('v1', [], things), event('v2', everyType, things)],
  consumers: [
    { group: 'watchers', owner: 'watching', events: ['ThingMade'] },
    { group: 'makers', owner: 'things', events: ['ThingMade'] },
    { group: 'idle', owner: 'idle', events: [] },
  ],
}
const options = { title: 'Things', version: '1.0.0' }

describe('the official parser', () => {
  test('has nothing to say about the contracts of this repository', async () => {
    const contracts = await readContracts(folderFiles(schemas))
    const { parsed, faults } = await parse(asyncApiDocument(contracts, { title: 'Shop', version: '1.0.0' }))
    expect(faults).toEqual([])
    expect(parsed?.channels().all().length).toBe(contracts.topics.length)
    expect(parsed?.messages().all().length).toBe(contracts.events.length)
    const publishing = contracts.topics.filter(({ events }) => events.length > 0)
    expect(parsed?.operations().filterBySend().length).toBe(publishing.length)
    const placed = parsed
      ?.messages()
      .all()
      .find((message) => message.id() === 'OrderCreated.v1')
    expect(placed?.payload()?.property('data')?.property('total')?.property('currency')?.type()).toBe('string')
    expect(placed?.extensions().get('x-pii')?.value()).toContain('data.recipient.email')
  }, 20_000)

  test('has nothing to say about contracts that use everything there is', async () => {
    const document = asyncApiDocument(everything, {
      ...options,
      description: 'All of it.',
      servers: {
        main: { host: 'kafka.example.com:9093', tls: true, description: 'Where it runs.' },
        local: { host: 'localhost:9092' },
      },
      registryUrl: 'https://user:secret@registry.example.com/apis/ccompat/v7',
    })
    const { parsed, faults } = await parse(document)
    expect(faults).toEqual([])
    expect(
      parsed
        ?.servers()
        .all()
        .map((server) => server.protocol()),
    ).toEqual(['kafka-secure', 'kafka'])
    const newest = parsed
      ?.messages()
      .all()
      .find((message) => message.id() === 'ThingMade.v2')
    expect(Object.keys(newest?.payload()?.property('data')?.properties() ?? {})).toHaveLength(everyType.length + 1)
  })

  test('would say it when a schema were wrong', async () => {
    const sound = JSON.stringify(asyncApiDocument(everything, options))
    const text = sound.replace('"symbols"', '"signs"')
    expect(text).not.toBe(sound)
    const { faults } = await parse(JSON.parse(text))
    expect(faults.join('\n')).toContain('must have required property "symbols"')
  })
})

test('another implementation of Avro takes every payload, and reads the envelope that was meant', async () => {
  const contracts = await readContracts(folderFiles(schemas))
  for (const { events } of [contracts, everything])
    for (const event of events) {
      // Its type for schemas knows no unknown ones; what it makes of them is what is tested.
      const typeOf = (document: unknown) => avsc.Type.forSchema(document as avsc.Schema)
      const meant = envelopeRecord(event.data)
      expect(typeOf(asyncApiAvro(meant)).fingerprint()).toEqual(typeOf(printAvroSchema(meant)).fingerprint())
    }
})

describe('the document', () => {
  const document = asyncApiDocument(everything, {
    ...options,
    servers: { main: { host: 'kafka.example.com:9092' } },
    registryUrl: 'https://user:secret@registry.example.com/apis/ccompat/v7',
  })

  test('never holds the credentials of a registry', () => {
    expect(JSON.stringify(document)).not.toContain('secret')
    expect(document.servers).toMatchObject({
      main: { bindings: { kafka: { schemaRegistryUrl: 'https://registry.example.com/apis/ccompat/v7' } } },
    })
  })

  test('says of each topic how it is kept', () => {
    expect(document.channels).toMatchObject({
      things: {
        address: 'things',
        'x-owner': 'things',
        bindings: {
          kafka: {
            partitions: 3,
            topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': 604_800_000 },
          },
        },
      },
      kept: {
        'x-external': true,
        'x-retention': 'forever',
        bindings: {
          kafka: { replicas: 3, topicConfiguration: { 'cleanup.policy': ['compact', 'delete'], 'retention.ms': -1 } },
        },
      },
    })
  })

  test('says who sends and which group receives', () => {
    const both = ['ThingMade.v1', 'ThingMade.v2'].map((name) => ({ $ref: `#/channels/things/messages/${name}` }))
    expect(Object.keys(document.operations)).toEqual([
      'things.send.things',
      'watchers.receive.things',
      'makers.receive.things',
    ])
    expect(document.operations).toMatchObject({
      'things.send.things': { action: 'send', messages: both },
      'watchers.receive.things': {
        action: 'receive',
        messages: both,
        bindings: { kafka: { groupId: { enum: ['watchers'] } } },
      },
    })
  })

  test('says of each message its key, its subject, what is personal and what came after it', () => {
    const messages = document.components.messages
    expect(messages).toMatchObject({
      'ThingMade.v1': { 'x-superseded-by': 'v2', 'x-key': 'data.id', tags: [{ name: 'things' }] },
      'ThingMade.v2': {
        'x-pii': ['data.owner'],
        'x-subject': 'things-shop.things.v2.ThingMadeEnvelope',
        tags: [{ name: 'things' }, { name: 'personal-data' }],
      },
    })
  })

  test('is the same each time', () => {
    const again = asyncApiDocument(structuredClone(everything), options)
    expect(JSON.stringify(again)).toBe(JSON.stringify(asyncApiDocument(everything, options)))
  })

  test('of one owner holds what it sends and receives, and nothing else', () => {
    const of = (owner: string) => asyncApiDocument(everything, { ...options, owner })
    expect(Object.keys(of('watching').operations)).toEqual(['watchers.receive.things'])
    expect(Object.keys(of('watching').channels)).toEqual(['things'])
    expect(Object.keys(of('things').operations)).toEqual(['things.send.things', 'makers.receive.things'])
    expect(Object.keys(of('partner').channels)).toEqual(['kept'])
    expect(() => of('nobody')).toThrow(InvalidContractError)
    expect(() => of('idle')).toThrow('the owners in these contracts are idle, partner, things, watching')
  })
})
