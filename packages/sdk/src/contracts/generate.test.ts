import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { folderFiles } from './contract-files.ts'
import type { Contracts, EventContract, TopicContract } from './contracts.ts'
import { generate } from './generate.ts'
import { applyGenerated, compareGenerated } from './generated-folder.ts'
import { readContracts } from './read-contracts.ts'

const stress = join(import.meta.dirname, '../../../../test/stress-contracts')

const topic: TopicContract = {
  name: 'order-events',
  partitions: 20,
  retentionMs: -1,
  cleanup: 'delete',
  replicas: undefined,
  key: 'orderId',
  owner: 'orders',
  description: 'Orders',
  external: false,
  events: [],
}

const event = (type: string, version: string, fields: readonly object[] = []): EventContract => {
  const data = parseAvroSchema({
    type: 'record',
    name: `shop.orders.${version}.${type}`,
    fields: [{ name: 'orderId', type: 'string' }, ...fields],
  })
  if (data.kind !== 'record') throw new Error('a record was expected')
  return { type, version, domain: 'orders', topic, key: 'orderId', data, file: `orders/${type}.${version}.avsc` }
}
const contracts = (...events: EventContract[]): Contracts => ({ topics: [topic], events, consumers: [] })
const textOf = (given: Contracts, path: string) =>
  generate(given).find((file) => file.path === path)?.text ?? 'no such file'

test('what is committed for the hardest contracts is what they give, to the letter', async () => {
  const files = generate(await readContracts(folderFiles(join(stress, 'schemas'))))
  expect(await compareGenerated(join(stress, 'generated'), files)).toEqual([])
})

test('the same contracts give the same files, in the same order', async () => {
  const read = () => readContracts(folderFiles(join(stress, 'schemas')))
  expect(generate(await read())).toEqual(generate(await read()))
})

test('the newest version of an event has its plain name, older ones have theirs behind it', () => {
  const both = contracts(event('OrderPlaced', 'v1'), event('OrderPlaced', 'v2'))
  expect(textOf(both, 'orders/order-placed.v1.ts')).toContain('export const OrderPlacedV1 = defineEvent({')
  expect(textOf(both, 'orders/order-placed.v1.ts')).toContain('export interface OrderPlacedV1Data {')
  expect(textOf(both, 'orders/order-placed.v2.ts')).toContain('export const OrderPlaced = defineEvent({')
  expect(textOf(both, 'index.ts')).toContain('export const allEvents = [OrderPlaced] as const')
})

test('types of the same name in two versions are told apart, the newest being plain', () => {
  const reason = (symbol: string) => ({ name: 'reason', type: { type: 'enum', name: 'Reason', symbols: [symbol] } })
  const both = contracts(event('OrderLost', 'v1', [reason('OLD')]), event('OrderLost', 'v2', [reason('NEW')]))
  expect(textOf(both, 'orders/order-lost.v1.ts')).toContain("export type ReasonV1 = 'OLD'")
  expect(textOf(both, 'orders/order-lost.v2.ts')).toContain("export type Reason = 'NEW'")
})

test('a field named __proto__ stays a field', () => {
  const given = contracts(
    event('OrderOdd', 'v1', [
      { name: '__proto__', type: { type: 'map', values: 'int' }, default: JSON.parse('{"__proto__": 1}') },
    ]),
  )
  const text = textOf(given, 'orders/order-odd.v1.ts')
  expect(text).toContain('readonly __proto__: Readonly<Record<string, number>>')
  expect(text).toContain("default: { ['__proto__']: 1 }")
})

test('a topic says how it is cleaned up and whose it is, where that is not the usual', () => {
  const compacted = { ...topic, cleanup: 'compact,delete', external: true } as const
  expect(textOf({ topics: [topic], events: [], consumers: [] }, 'topics.ts')).toContain(
    "defineTopic({ name: 'order-events', partitions: 20, retentionMs: -1 })",
  )
  const text = textOf({ topics: [compacted], events: [], consumers: [] }, 'topics.ts')
  expect(text.slice(text.indexOf('defineTopic({'))).toBe(`defineTopic({
  name: 'order-events',
  partitions: 20,
  retentionMs: -1,
  cleanup: 'compact,delete',
  external: true,
})
`)
})

test('relative imports end as asked', () => {
  const [first] = generate(contracts(event('OrderPlaced', 'v1')), { importExtension: '.js' })
  expect(first?.text).toContain("import { OrderEvents } from '../topics.js'")
})

describe('a folder of generated files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'generated-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const files = generate(contracts(event('OrderPlaced', 'v1')))
  const write = async () => applyGenerated(folder, await compareGenerated(folder, files))

  test('is written once, and then has nothing to change', async () => {
    expect((await compareGenerated(folder, files)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'add orders/order-placed.v1.ts',
      'add topics.ts',
      'add index.ts',
    ])
    await write()
    expect(await compareGenerated(folder, files)).toEqual([])
  })

  test('tells what was edited, what is missing, and what belongs to no contract any more', async () => {
    await write()
    await rm(join(folder, 'index.ts'))
    await writeFile(join(folder, 'topics.ts'), `${await readFile(join(folder, 'topics.ts'), 'utf8')}\n// by hand`)
    const without = generate(contracts())
    expect((await compareGenerated(folder, without)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'change topics.ts',
      'add index.ts',
      'remove orders/order-placed.v1.ts',
    ])
    await applyGenerated(folder, await compareGenerated(folder, without))
    expect(await folderFiles(folder).list()).toEqual(['index.ts', 'topics.ts'])
  })

  test('keeps what people wrote, and line ends that git changed', async () => {
    await write()
    await writeFile(join(folder, 'mine.ts'), '// by hand\n')
    const topics = join(folder, 'topics.ts')
    await writeFile(topics, (await readFile(topics, 'utf8')).replaceAll('\n', '\r\n'))
    expect(await compareGenerated(folder, files)).toEqual([])
  })

  test('is refused where a file of somebody stands in the way', async () => {
    await mkdir(join(folder, 'orders'))
    await writeFile(join(folder, 'orders/order-placed.v1.ts'), '// by hand\n')
    await expect(compareGenerated(folder, files)).rejects.toMatchObject({
      code: 'EVT_INVALID_CONTRACT',
      message: expect.stringContaining('order-placed.v1.ts was not generated'),
    })
  })
})
