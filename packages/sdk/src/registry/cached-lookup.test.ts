import { describe, expect, test } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { RegistryUnavailableError } from '../core/errors.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { ExchangeClient } from './exchange-client.ts'
import type { LookupOptions } from './registry-client.ts'
import type { RegistryAnswer, RegistryExchange, RegistryRequest } from './registry-exchange.ts'

/** A registry that answers as it is told and counts what it was asked. */
class ScriptedExchange implements RegistryExchange {
  readonly place = 'http://scripted'
  readonly name = 'the schema registry at http://scripted'
  readonly asked: string[] = []
  answer: (path: string, request: RegistryRequest) => RegistryAnswer = () => notFound

  async exchange(request: RegistryRequest): Promise<RegistryAnswer> {
    const path = `${request.method} ${request.path.join('/')}`
    this.asked.push(path)
    await Promise.resolve()
    return this.answer(path, request)
  }

  async close() {}
}

const notFound: RegistryAnswer = { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
const schemaAnswer = (schema: unknown, more: object = {}): RegistryAnswer => ({
  status: 200,
  body: { schema: JSON.stringify(schema), ...more },
})

function stage(options: LookupOptions = {}) {
  const exchange = new ScriptedExchange()
  const client = new ExchangeClient(exchange, {
    clock: systemClock,
    logger: silentLogger,
    unknownForMs: 30_000,
    maxCached: 10_000,
    registerUnknown: false,
    ...options,
  })
  return { exchange, client }
}

describe('a schema by its id', () => {
  test('is asked for once by a thousand who want it at the same time, and never again', async () => {
    const { exchange, client } = stage()
    exchange.answer = () => schemaAnswer('string')
    const found = await Promise.all(Array.from({ length: 1000 }, () => client.byId(7)))
    expect(new Set(found).size).toBe(1)
    await client.byId(7)
    expect(exchange.asked).toEqual(['GET schemas/ids/7'])
  })

  test('that the registry does not have is not asked for again until a while has passed', async () => {
    const clock = createManualClock()
    const { exchange, client } = stage({ clock })
    const unknown = { code: 'EVT_UNKNOWN_SCHEMA', rejects: true }
    await Promise.all(Array.from({ length: 1000 }, () => expect(client.byId(7)).rejects.toMatchObject(unknown)))
    await clock.advance(29_999)
    await expect(client.byId(7)).rejects.toMatchObject(unknown)
    expect(exchange.asked).toHaveLength(1)
    await clock.advance(1)
    exchange.answer = () => schemaAnswer('string')
    expect(await client.byId(7)).toEqual({ id: 7, document: 'string' })
    expect(exchange.asked).toHaveLength(2)
  })

  test('is asked for again after a failure', async () => {
    const { exchange, client } = stage()
    exchange.answer = () => {
      throw new RegistryUnavailableError('down')
    }
    await expect(client.byId(7)).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    exchange.answer = () => schemaAnswer('string')
    expect(await client.byId(7)).toEqual({ id: 7, document: 'string' })
  })

  test('is remembered within a limit: what was not asked for longest goes first', async () => {
    const { exchange, client } = stage({ maxCached: 2 })
    exchange.answer = () => schemaAnswer('string')
    for (const id of [1, 2, 1, 3, 1, 2]) await client.byId(id)
    expect(exchange.asked).toEqual(['GET schemas/ids/1', 'GET schemas/ids/2', 'GET schemas/ids/3', 'GET schemas/ids/2'])
  })

  test('of another type than Avro, or that is no schema, cannot be read', async () => {
    const { exchange, client } = stage()
    exchange.answer = () => ({ status: 200, body: { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' } })
    await expect(client.byId(1)).rejects.toMatchObject({
      code: 'EVT_UNKNOWN_SCHEMA',
      message: expect.stringContaining('PROTOBUF'),
    })
    exchange.answer = () => ({ status: 200, body: { schema: 'not JSON' } })
    await expect(client.byId(2)).rejects.toMatchObject({ code: 'EVT_UNKNOWN_SCHEMA' })
  })
})

describe('a schema by its GUID', () => {
  test('comes with its id, and upper and lower case are the same', async () => {
    const { exchange, client } = stage()
    exchange.answer = (path) =>
      path.endsWith('/ids') ? { status: 200, body: [{ context: '.', id: 12 }] } : schemaAnswer('string')
    const guid = 'ABCDEF00-0000-4000-8000-000000000000'
    expect(await client.byGuid(guid)).toEqual({ id: 12, document: 'string' })
    await client.byGuid(guid.toLowerCase())
    expect(exchange.asked).toHaveLength(2)
  })

  test('of a registry that knows no GUIDs is a refusal, not an unknown schema', async () => {
    const { exchange, client } = stage()
    exchange.answer = () => ({ status: 404, body: undefined })
    await expect(client.byGuid('abcdef00-0000-4000-8000-000000000000')).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      message: expect.stringContaining('not every registry knows GUIDs'),
    })
  })
})

describe('what a schema refers to', () => {
  const reference = (subject: string, name: string) => ({ subject, name, version: 1 })
  const record = (name: string, ...types: string[]) => ({
    type: 'record',
    name,
    fields: types.map((type, i) => ({ name: `f${i}`, type })),
  })

  test('is fetched once and written into the document', async () => {
    const { exchange, client } = stage()
    exchange.answer = (path) =>
      path.includes('/ids/')
        ? schemaAnswer(record('shop.Order', 'shop.Lines', 'shop.Money'), {
            references: [reference('lines', 'shop.Lines'), reference('money', 'shop.Money')],
          })
        : path.includes('lines')
          ? schemaAnswer(record('shop.Lines', 'shop.Money'), { references: [reference('money', 'shop.Money')] })
          : schemaAnswer(record('shop.Money', 'long'))
    const { document } = await client.byId(1)
    const money = record('shop.Money', 'long')
    expect(document).toEqual({
      ...record('shop.Order'),
      fields: [
        { name: 'f0', type: { ...record('shop.Lines'), fields: [{ name: 'f0', type: money }] } },
        { name: 'f1', type: 'shop.Money' },
      ],
    })
    await client.byId(2)
    expect(exchange.asked.filter((path) => path.includes('subjects'))).toEqual([
      'GET subjects/lines/versions/1',
      'GET subjects/money/versions/1',
    ])
  })

  test('may not lead in a circle, nor without end', async () => {
    const { exchange, client } = stage()
    exchange.answer = () => schemaAnswer('string', { references: [reference('self', 'a.B')] })
    await expect(client.byId(1)).rejects.toMatchObject({
      code: 'EVT_UNKNOWN_SCHEMA',
      message: expect.stringContaining('circle'),
    })
    let next = 0
    exchange.answer = () => schemaAnswer('string', { references: [reference(`s${next++}`, 'a.B')] })
    await expect(client.byId(2)).rejects.toMatchObject({ code: 'EVT_UNKNOWN_SCHEMA' })
    expect(exchange.asked.length).toBeLessThan(30)
  })

  test('that is gone makes the schema unreadable', async () => {
    const { exchange, client } = stage()
    exchange.answer = (path) =>
      path.includes('/ids/')
        ? schemaAnswer('a.B', { references: [reference('gone', 'a.B')] })
        : { status: 404, body: { error_code: 40401, message: 'Subject not found' } }
    await expect(client.byId(1)).rejects.toMatchObject({
      code: 'EVT_UNKNOWN_SCHEMA',
      message: expect.stringContaining('"gone"'),
    })
  })
})

describe('the id under which a subject has a schema', () => {
  const document = { type: 'record', name: 'a.B', fields: [] }

  test('is asked for once, and the schema is sent compact and in one form', async () => {
    const { exchange, client } = stage()
    let sent: unknown
    exchange.answer = (_, { body }) => {
      sent = body
      return { status: 200, body: { subject: 's', id: 4, version: 1, schema: '"string"' } }
    }
    const ids = await Promise.all(Array.from({ length: 1000 }, () => client.idOf('s', document)))
    expect(new Set(ids)).toEqual(new Set([4]))
    await client.idOf('s', { namespace: 'a', fields: [], name: 'B', type: 'record' })
    expect(exchange.asked).toEqual(['POST subjects/s'])
    expect(sent).toEqual({ schema: '{"type":"record","name":"a.B","fields":[]}' })
  })

  test.each([40401, 40403])(
    'is an error that names the subject and the command when there is none (%i)',
    async (code) => {
      const { exchange, client } = stage()
      exchange.answer = () => ({ status: 404, body: { error_code: code, message: 'not found' } })
      await expect(client.idOf('orders-a.B', document)).rejects.toMatchObject({
        code: 'EVT_SCHEMA_NOT_REGISTERED',
        message: expect.stringMatching(/"orders-a\.B".*evt schema push/s),
      })
      exchange.answer = () => ({ status: 200, body: { id: 4 } })
      expect(await client.idOf('orders-a.B', document), 'registered a moment later').toBe(4)
      expect(exchange.asked.every((path) => path === 'POST subjects/orders-a.B')).toBe(true)
    },
  )

  test('is registered when the development flag says so, and the log tells', async () => {
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) }
    const { exchange, client } = stage({ registerUnknown: true, logger })
    exchange.answer = (path) => (path.endsWith('/versions') ? { status: 200, body: { id: 9 } } : notFound)
    expect(await client.idOf('s', document)).toBe(9)
    expect(await client.idOf('s', document)).toBe(9)
    expect(exchange.asked).toEqual(['POST subjects/s', 'POST subjects/s/versions'])
    expect(warnings).toEqual([expect.stringContaining('registerUnknown')])
  })

  test('of what is no schema is not asked for', async () => {
    const { exchange, client } = stage()
    await expect(client.idOf('s', { type: 'record' })).rejects.toMatchObject({ code: 'EVT_INVALID_SCHEMA' })
    expect(exchange.asked).toEqual([])
  })
})
