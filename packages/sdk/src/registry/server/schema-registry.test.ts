import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { DatabaseUnavailableError, SchemaNotMigratedError } from '../../core/errors.ts'
import { silentLogger } from '../../core/logger.ts'
import { envelopeRecord, subjectOf } from '../envelope-record.ts'
import { createRegistryClient } from '../registry-client.ts'
import { createMemoryRegistryStore } from './memory-registry-store.ts'
import { createRegistryServer, type RegistryServer, type RegistryServerOptions } from './registry-server.ts'
import type { RegistryStore } from './registry-store.ts'
import { createSchemaRegistry } from './schema-registry.ts'

const servers: RegistryServer[] = []
const serve = async (options: RegistryServerOptions = {}) => {
  const server = createRegistryServer({ logger: silentLogger, ...options })
  servers.push(server)
  await server.start()
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

const record = (...fields: object[]) => ({ type: 'record', name: 'shop.Fact', fields })
const a = { name: 'a', type: 'string' }
const b = { name: 'b', type: 'string' }

describe('a registry within the process', () => {
  test('is used by its client as one over HTTP is', async () => {
    const client = createSchemaRegistry().client()
    const envelope = envelopeRecord({
      kind: 'record',
      name: 'shop.orders.v1.OrderCreated',
      aliases: [],
      doc: undefined,
      attributes: {},
      fields: [],
    })
    const subject = subjectOf('order-events', envelope)
    const document = { type: 'record', name: envelope.name, fields: [] }
    const { id, version } = await client.register(subject, document)
    expect([subject, version]).toEqual(['order-events-shop.orders.v1.OrderCreatedEnvelope', 1])
    expect(await client.idOf(subject, document)).toBe(id)
    expect(await client.byId(id)).toEqual({ id, document })
    await expect(client.byId(id + 1)).rejects.toMatchObject({ code: 'EVT_UNKNOWN_SCHEMA' })
    await client.close()
    await expect(client.versions(subject)).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  })

  test('finds a schema by the GUID that is the same in every registry', async () => {
    const [here, there] = [createSchemaRegistry(), createSchemaRegistry()]
    await there.client().register('other', record(b))
    const guids = []
    for (const registry of [here, there]) {
      await registry.client().register('s', record(a))
      const { body } = await registry.handle({ method: 'GET', path: ['subjects', 's', 'versions', '1'] })
      guids.push(Object(body).guid)
      expect(await registry.client().byGuid(Object(body).guid)).toMatchObject({ document: record(a) })
    }
    expect(new Set(guids).size).toBe(1)
  })

  test('reads a schema that refers to others as one document', async () => {
    const client = createSchemaRegistry().client()
    await client.register('money', { type: 'record', name: 'shop.Money', fields: [{ name: 'minor', type: 'long' }] })
    const order = { type: 'record', name: 'shop.Order', fields: [{ name: 'total', type: 'shop.Money' }] }
    const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
    const { id } = await client.register('order', order, { references })
    expect(await client.byId(id)).toMatchObject({ document: { fields: [{ type: { name: 'shop.Money' } }] } })
    expect(await client.version('order', 'latest')).toMatchObject({ id, references })
  })

  test('enforces the level it was created with, and says what does not fit', async () => {
    const client = createSchemaRegistry({ compatibility: 'FORWARD' }).client()
    await client.register('s', record(a))
    await client.register('s', record(a, b))
    const refused = client.register('s', record(b))
    await expect(refused).rejects.toMatchObject({ code: 'EVT_REGISTRY_REFUSED', errorCode: 409 })
    const verdict = await client.checkCompatibility('s', record(b), 'all')
    expect(verdict).toEqual({ compatible: false, messages: [expect.stringMatching(/\ba\b/)] })
    expect(await client.compatibilityMode('s')).toBe('FORWARD')
    await client.setCompatibilityMode('NONE', 's')
    await client.register('s', record(b))
    await client.clearCompatibilityMode('s')
    await client.clearCompatibilityMode('s')
    expect(await client.compatibilityMode('s')).toBe('FORWARD')
  })

  test('that is read-only for all overrides what subjects say', async () => {
    const client = createSchemaRegistry().client()
    await client.setMode('READWRITE', 's')
    await client.setMode('READONLY')
    await client.register('s', record(a))
    await client.setMode('READONLY_OVERRIDE')
    await expect(client.register('s', record(b))).rejects.toMatchObject({ errorCode: 42205 })
    await expect(client.setCompatibilityMode('NONE')).rejects.toMatchObject({ errorCode: 42205 })
    expect(await client.mode('s')).toBe('READONLY_OVERRIDE')
    await client.setMode('READWRITE')
    expect(await client.mode('s')).toBe('READWRITE')
  })

  test('imports into an empty registry unless it is told to all the same', async () => {
    const client = createSchemaRegistry().client()
    await client.register('s', record(a))
    await expect(client.setMode('IMPORT')).rejects.toMatchObject({ errorCode: 42205 })
    await client.setMode('IMPORT', undefined, { force: true })
    expect(await client.mode()).toBe('IMPORT')
  })

  test('hides and removes', async () => {
    const client = createSchemaRegistry().client()
    const { id } = await client.register('s', record(a))
    expect(await client.deleteVersion('s', 'latest')).toBe(1)
    expect(await client.versions('s')).toEqual([])
    expect(await client.versions('s', { deleted: true })).toEqual([1])
    expect(await client.subjects('', { deleted: true })).toEqual(['s'])
    expect(await client.deleteSubject('s', { permanent: true })).toEqual([1])
    await expect(client.byId(id)).rejects.toMatchObject({ code: 'EVT_UNKNOWN_SCHEMA' })
    expect(await client.version('s', 1)).toBeUndefined()
  })

  test('whose store is down is an outage; one that lacks its tables says so', async () => {
    const failing = (error: Error): RegistryStore => ({
      read: () => Promise.reject(error),
      change: () => Promise.reject(error),
    })
    const down = createSchemaRegistry({
      store: failing(new DatabaseUnavailableError('no route')),
      logger: silentLogger,
    })
    await expect(down.client().byId(1)).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    const bare = createSchemaRegistry({ store: failing(new SchemaNotMigratedError('run it')), logger: silentLogger })
    expect(await bare.handle({ method: 'GET', path: ['subjects'] })).toMatchObject({
      status: 500,
      body: { error_code: 50001, message: expect.stringContaining('run it') },
    })
    const broken = createSchemaRegistry({ store: failing(new TypeError('a password')), logger: silentLogger })
    const { body } = await broken.handle({ method: 'GET', path: ['subjects'] })
    expect(body).toEqual({ error_code: 50001, message: 'Internal error' })
  })

  test('does not begin with a level that does not exist', () => {
    // @ts-expect-error as from a file of settings
    expect(() => createSchemaRegistry({ compatibility: 'SIDEWAYS' })).toThrow(/FULL_TRANSITIVE.*SIDEWAYS/)
  })
})

describe('the server', () => {
  test('serves a registry that is used within the process too', async () => {
    const registry = createSchemaRegistry({ store: createMemoryRegistryStore() })
    const server = await serve({ registry })
    const remote = createRegistryClient({ url: `${server.url}/` })
    const { id } = await remote.register('s', record(a))
    expect(await registry.client().idOf('s', record(a))).toBe(id)
    await remote.close()
  })

  test('has an address only while it listens', async () => {
    const server = createRegistryServer()
    expect(() => server.url).toThrow(/start/)
    await server.start()
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    await expect(server.start()).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
    await server.close()
    await server.close()
    expect(() => server.url).toThrow(/start/)
  })

  test('says that a port is taken', async () => {
    const { url } = await serve()
    await expect(serve({ port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  test.each([
    ['a body that is no JSON', { method: 'POST', path: '/subjects/s/versions', body: 'not JSON' }, 400],
    ['a body that is no object', { method: 'POST', path: '/subjects/s/versions', body: '7' }, 400],
    ['a body without end', { method: 'POST', path: '/subjects/s/versions', body: 'x'.repeat(5_000_000) }, 413],
    ['a path that is not well formed', { method: 'GET', path: '/subjects/%E0%A4%A/versions' }, 400],
    ['a method that nothing has', { method: 'PATCH', path: '/subjects' }, 405],
    ['a method that the path does not have', { method: 'PUT', path: '/subjects' }, 405],
    ['a change from a web page', { method: 'PUT', path: '/config', headers: { origin: 'https://elsewhere' } }, 403],
    ['an id that is no number', { method: 'GET', path: '/schemas/ids/1e3' }, 404],
    ['an id beyond all ids', { method: 'GET', path: '/schemas/ids/9999999999' }, 404],
  ])('refuses %s', async (_, asked: { method: string; path: string; body?: string; headers?: object }, status) => {
    const { url } = await serve()
    const answer = await ask(url, asked)
    expect(answer).toMatchObject({
      status,
      body: { error_code: expect.any(Number), message: expect.any(String) },
      contentType: 'application/vnd.schemaregistry.v1+json',
    })
  })
})

function ask(
  url: string,
  { method, path, body, headers = {} }: { method: string; path: string; body?: string; headers?: object },
): Promise<{ status: number | undefined; contentType: string | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, agent: false, headers: { ...headers } }, (response) => {
      json(response).then(
        (answer) =>
          resolve({ status: response.statusCode, contentType: response.headers['content-type'], body: answer }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
