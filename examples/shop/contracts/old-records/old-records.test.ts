import { createConsumer, type EventDefinition, jsonCodec, silentLogger, versionsOf } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { createAvroCodec, type SchemaLookup } from '@evtkit/sdk/registry'
import { expect, test, vi } from 'vitest'
import { allEvents } from '../index.ts'
import { type OldRecord, readOldRecords, writerId } from './old-record.ts'

const records = readOldRecords()
const names = records.map(({ event, version }) => `${event} ${version}`)

const lookupOf = ({ avro }: OldRecord): SchemaLookup => ({
  byId: async (id) => ({ id, document: id === writerId ? avro.writer : undefined }),
  byGuid: () => Promise.reject(new Error('the records name their schemas by id')),
  idOf: () => Promise.reject(new Error('nothing is written here')),
})

/** What a consumer of today is handed for an old value, or what it set aside instead. */
async function read(record: OldRecord, format: 'json' | 'avro', event: EventDefinition): Promise<unknown> {
  const broker = createMemoryBroker({ logger: silentLogger })
  await broker.createTopics([event.topic])
  const codec = format === 'json' ? jsonCodec : createAvroCodec({ lookup: lookupOf(record), events: allEvents })
  const seen: unknown[] = []
  const consumer = createConsumer({
    source: broker,
    group: 'reader',
    codec,
    logger: silentLogger,
    rejected: ({ error }) => void seen.push(error),
  }).on(event, ({ data }) => void seen.push(data))
  await consumer.start()
  const value = Buffer.from(format === 'json' ? record.json : record.avro.value, 'base64')
  await broker.send([{ topic: event.topic.name, key: Buffer.from('key'), value, headers: [] }])
  await vi.waitFor(() => expect(seen).toHaveLength(1))
  await consumer.close()
  await broker.close()
  return seen[0]
}

const definitions = allEvents.flatMap(versionsOf)
const both = records.flatMap((record) =>
  (['json', 'avro'] as const).map(
    (format) => [`${record.event} ${record.version} as ${format}`, record, format] as const,
  ),
)

test.each(both)('%s still reads as what was published', async (_, record, format) => {
  const event = definitions.find(({ type, version }) => type === record.event && version === record.version)
  // A version may be given up once its records are older than its topic keeps them; its old record goes with it.
  if (event === undefined) throw new Error(`there is no definition of ${record.event} ${record.version} any more`)
  const data = await read(record, format, event)
  // Fields that came later have their defaults besides.
  expect(JSON.parse(JSON.stringify(data))).toMatchObject(record.data)
})

test.each(both)('%s is taken by a handler of the newest version', async (_, record, format) => {
  const newest = allEvents.find(({ type }) => type === record.event)
  if (newest === undefined) throw new Error(`there is no event ${record.event} any more`)
  expect(await read(record, format, newest)).not.toBeInstanceOf(Error)
})

test('every version of every event has an old record; write-old-records.ts writes what is missing', () => {
  const known = definitions.map(({ type, version }) => `${type} ${version}`)
  expect(known.filter((name) => !names.includes(name))).toEqual([])
})
