/** The client with the real Apicurio, and over TLS. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './registry-client.ts'

const clients: RegistryClient[] = []
const client = (options: RegistryClientOptions) => {
  const made = createRegistryClient({ logger: silentLogger, retries: 0, ...options })
  clients.push(made)
  return made
}
afterEach(() => Promise.all(clients.splice(0).map((one) => one.close())))

describe('with Apicurio Registry', () => {
  const run = `client${Math.random().toString(36).slice(2, 8)}`
  const subject = (name: string) => `${run}-${name}`
  const apicurio = () => client({ url: inject('registryUrl') })
  const record = (name: string, ...fields: object[]) => ({ type: 'record', name: `${run}.${name}`, fields })

  test('a schema is registered, looked up, found by id and by version', async () => {
    const registry = apicurio()
    const fact = record('Fact', { name: 'a', type: 'string', pii: true })
    await expect(registry.idOf(subject('fact'), fact)).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_REGISTERED' })
    expect(await registry.version(subject('fact'), 'latest')).toBeUndefined()
    const { id, version } = await registry.register(subject('fact'), fact)
    expect(version).toBe(1)
    expect(await registry.idOf(subject('fact'), fact)).toBe(id)
    expect(await registry.lookup(subject('fact'), fact)).toMatchObject({ id, version: 1, schemaType: 'AVRO' })
    expect(await registry.byId(id)).toMatchObject({ document: { fields: [{ name: 'a', pii: true }] } })
    expect(await registry.subjects(run)).toContain(subject('fact'))
    expect(await registry.versions(subject('fact'))).toEqual([1])
    await expect(registry.byId(2 ** 31 - 1)).rejects.toMatchObject({ code: 'EVT_UNKNOWN_SCHEMA' })
  })

  test('what a schema refers to is written into its document', async () => {
    const registry = apicurio()
    const money = record('Money', { name: 'minor', type: 'long' })
    await registry.register(subject('money'), money)
    const order = record('Order', { name: 'total', type: `${run}.Money` })
    const references = [{ name: `${run}.Money`, subject: subject('money'), version: 1 }]
    const { id } = await registry.register(subject('order'), order, { references })
    const { document } = await registry.byId(id)
    expect(document).toEqual({ ...order, fields: [{ name: 'total', type: money }] })
    expect(await registry.version(subject('order'), 1)).toMatchObject({ document, references })
    await expect(registry.deleteSubject(subject('money'))).rejects.toMatchObject({ errorCode: 42206 })
  })

  test('an incompatible schema is refused with the registry’s words', async () => {
    const registry = apicurio()
    await registry.register(subject('grown'), record('Grown'))
    const next = record('Grown', { name: 'newcomer', type: 'int' })
    await expect(registry.register(subject('grown'), next)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      errorCode: 409,
      message: expect.stringContaining('incompatible'),
    })
    expect(await registry.checkCompatibility(subject('grown'), next)).toMatchObject({ compatible: false })
    expect(await registry.checkCompatibility(subject('nowhere'), next)).toEqual({ compatible: true, messages: [] })
  })

  test('levels and types are asked for', async () => {
    const registry = apicurio()
    expect(await registry.schemaTypes()).toContain('AVRO')
    await registry.register(subject('level'), record('Level'))
    expect(await registry.compatibilityMode(subject('level'))).toBe('BACKWARD')
    await registry.setCompatibilityMode('FULL_TRANSITIVE', subject('level'))
    expect(await registry.compatibilityMode(subject('level'))).toBe('FULL_TRANSITIVE')
  })

  test('a path where no registry is says so', async () => {
    const { origin } = new URL(inject('registryUrl'))
    await expect(client({ url: `${origin}/nothing` }).byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      message: expect.stringContaining('Check the address'),
    })
  })
})

describe('over TLS', () => {
  const run = promisify(execFile)
  let folder: string
  let server: Server
  let url: string
  const pem = (name: string) => readFile(join(folder, name), 'utf8')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evtkit-tls-'))
    const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
    const fresh = ['-newkey', 'rsa:2048', '-nodes', '-days', '2']
    for (const name of ['server', 'client'])
      await openssl(
        ...['req', '-x509', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', '/CN=localhost'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1'],
      )
    const options = {
      cert: await pem('server.pem'),
      key: await pem('server.key'),
      ca: await pem('client.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    }
    server = createServer(options, (request, response) => {
      // Its sockets are those of TLS.
      const known = Reflect.get(request.socket, 'authorized') === true
      response.end(JSON.stringify({ schema: JSON.stringify(known ? 'long' : 'string') }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `https://127.0.0.1:${Object(server.address()).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })

  test('a registry that nothing vouches for is not spoken to', async () => {
    await expect(client({ url }).byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_UNAVAILABLE',
      message: expect.stringMatching(/certificate/),
    })
  })

  test('a registry is trusted by the authority that is given', async () => {
    const trusting = client({ url, tls: { ca: await pem('server.pem') } })
    expect(await trusting.byId(1)).toEqual({ id: 1, document: 'string' })
  })

  test('a client shows its own certificate', async () => {
    const tls = { ca: await pem('server.pem'), cert: await pem('client.pem'), key: await pem('client.key') }
    expect(await client({ url, tls }).byId(1)).toEqual({ id: 1, document: 'long' })
  })

  test('trust can be waived for a registry on one’s own computer', async () => {
    expect(await client({ url, tls: { rejectUnauthorized: false } }).byId(1)).toMatchObject({ id: 1 })
  })
})
