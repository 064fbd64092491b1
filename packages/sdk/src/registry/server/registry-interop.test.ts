/** Another client, which knows nothing of ours, works with our registry. */
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistryClient } from '../registry-client.ts'
import { createRegistryServer } from './registry-server.ts'

const server = createRegistryServer()
let other: SchemaRegistry

beforeAll(async () => {
  await server.start()
  other = new SchemaRegistry({ host: server.url, retry: { retries: 0 } })
})
afterAll(() => server.close())

const money = { type: 'record', name: 'Money', namespace: 'shop', fields: [{ name: 'minor', type: 'int' }] }

test('what it registers and writes, ours finds', async () => {
  const { id } = await other.register({ type: SchemaType.AVRO, schema: JSON.stringify(money) }, { subject: 'money' })
  const bytes = await other.encode(id, { minor: 7 })
  expect(bytes.readInt32BE(1)).toBe(id)
  const ours = createRegistryClient({ url: server.url })
  expect(await ours.idOf('money', money)).toBe(id)
  await ours.close()
})

test('what ours registers, with references, it finds, writes and reads', async () => {
  const ours = createRegistryClient({ url: server.url })
  await ours.register('money', money)
  const order = { type: 'record', name: 'Order', namespace: 'shop', fields: [{ name: 'total', type: 'shop.Money' }] }
  const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
  const { id } = await ours.register('order', order, { references })
  await ours.close()
  expect(await other.getLatestSchemaId('order')).toBe(id)
  expect(await other.getRegistryId('order', 1)).toBe(id)
  const read = await other.decode(await other.encode(id, { total: { minor: 5 } }))
  expect(JSON.parse(JSON.stringify(read))).toEqual({ total: { minor: 5 } })
})

test('what it may not register, it is told', async () => {
  const { id } = await other.register(
    { type: SchemaType.AVRO, schema: '{"type":"record","name":"R","fields":[]}' },
    { subject: 'r' },
  )
  const next = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
  const refused = other.register({ type: SchemaType.AVRO, schema: next }, { subject: 'r' })
  await expect(refused).rejects.toThrow(/incompatible/)
  expect(await other.getLatestSchemaId('r')).toBe(id)
})
