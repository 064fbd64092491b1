/** What becomes of a call when the registry is slow, gone, or something else. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './registry-client.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let url: string
let answer: Answer
const requests: IncomingMessage[] = []
const clients: RegistryClient[] = []

const json = (status: number, body: unknown): Answer => {
  return (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const schemaAnswer = json(200, { schema: '"string"' })

const client = (options: Partial<RegistryClientOptions> = {}): RegistryClient => {
  const made = createRegistryClient({ url, retries: 0, random: () => 0, logger: silentLogger, ...options })
  clients.push(made)
  return made
}

beforeEach(async () => {
  requests.length = 0
  answer = schemaAnswer
  server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // It listens on TCP.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((one) => one.close()))
  server.closeAllConnections()
  if (server.listening) await new Promise((resolve) => server.close(resolve))
})

describe('a registry that cannot serve is an outage', () => {
  test('when it does not answer in time', async () => {
    const clock = createManualClock()
    answer = () => {}
    const asked = client({ clock, timeoutMs: 5000 }).byId(1)
    const failed = expect(asked).rejects.toMatchObject({
      code: 'EVT_REGISTRY_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('within 5000 ms'),
    })
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    await clock.advance(5000)
    await failed
    expect(clock.pending).toBe(0)
  })

  test('when its answer begins and never ends', async () => {
    const clock = createManualClock()
    answer = (_, response) => void response.writeHead(200).write('{"schema":')
    const asked = client({ clock }).byId(1)
    const failed = expect(asked).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    await clock.advance(5000)
    await failed
  })

  test('when nothing listens', async () => {
    await new Promise((resolve) => server.close(resolve))
    await expect(client().byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1.*cannot be reached/),
    })
  })

  test('when it drops the connection', async () => {
    answer = (request) => void request.destroy()
    await expect(client().byId(1)).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
  })

  test.each([500, 502, 503, 504, 429, 408])('when it answers %i', async (status) => {
    answer = json(status, { error_code: 50001, message: 'Error in the backend' })
    await expect(client().byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('Error in the backend'),
    })
  })

  test('when no token can be had, or not in time', async () => {
    const failing = client({ auth: { bearer: () => Promise.reject(new Error('identity provider is down')) } })
    await expect(failing.byId(1)).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    const clock = createManualClock()
    const asked = client({ clock, auth: { bearer: () => new Promise(() => {}) } }).byId(1)
    const failed = expect(asked).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    await clock.advance(5000)
    await failed
    expect(requests).toEqual([])
  })
})

describe('a failed call is repeated', () => {
  test('after a wait, until it succeeds', async () => {
    const clock = createManualClock()
    const answers = [json(503, {}), (request: IncomingMessage) => void request.destroy(), schemaAnswer]
    answer = (request, response) => answers.shift()?.(request, response)
    const asked = client({ clock, retries: 2 }).byId(1)
    // The deadline of the call, and the wait before the next attempt.
    await vi.waitFor(() => expect(clock.pending).toBe(2))
    await clock.advance(100)
    await vi.waitFor(() => expect(clock.pending).toBe(2))
    await clock.advance(200)
    expect(await asked).toEqual({ id: 1, document: 'string' })
    expect(requests).toHaveLength(3)
  })

  test('not when it was refused, and never when it deletes', async () => {
    answer = json(422, { error_code: 42201, message: 'no schema' })
    await expect(client({ retries: 5 }).mode()).rejects.toMatchObject({ code: 'EVT_REGISTRY_REFUSED' })
    answer = json(503, {})
    await expect(client({ retries: 5 }).deleteSubject('s')).rejects.toMatchObject({ code: 'EVT_REGISTRY_UNAVAILABLE' })
    expect(requests).toHaveLength(2)
  })

  test('never beyond the time that the call has', async () => {
    const clock = createManualClock()
    answer = json(503, {})
    const asked = client({ clock, retries: 1000, timeoutMs: 900 }).byId(1)
    const failed = expect(asked).rejects.toMatchObject({ message: expect.stringContaining('within 900 ms') })
    for (let i = 0; i < 3; i++) {
      await vi.waitFor(() => expect(clock.pending).toBe(2))
      await clock.advance(300)
    }
    await failed
  })
})

describe('what the registry refuses is not tried again, and says why', () => {
  test.each([
    [401, undefined, 401],
    [403, { error_code: 40301, message: 'not yours' }, 40301],
    [409, { error_code: 409, message: 'incompatible' }, 409],
    [422, { error_code: 42201, message: 'not a schema' }, 42201],
  ])('%i', async (status, body, errorCode) => {
    answer = body === undefined ? (_, response) => void response.writeHead(status).end('go away') : json(status, body)
    await expect(client().register('s', 'string')).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      retryable: false,
      errorCode,
      message: expect.stringContaining(body?.message ?? 'Check the user and password'),
    })
  })

  test('the 404 of something on the way sets no record aside', async () => {
    answer = (_, response) => void response.writeHead(404).end('<html>no such page</html>')
    await expect(client().byId(7)).rejects.toMatchObject({ code: 'EVT_REGISTRY_REFUSED', errorCode: 404 })
    answer = json(404, { message: 'no Route matched with those values' })
    await expect(client().byId(8)).rejects.toMatchObject({ code: 'EVT_REGISTRY_REFUSED', errorCode: 404 })
  })

  test.each([
    ['a web page', '<!doctype html><title>Welcome</title>'],
    ['nothing', ''],
    ['JSON of another kind', '{"hello":"world"}'],
    ['a bare number', '7'],
  ])('success with %s is no registry', async (_, text) => {
    answer = (_, response) => void response.writeHead(200).end(text)
    await expect(client().byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      message: expect.stringMatching(/no schema registry.*Check the address/s),
    })
    await expect(client().schemaTypes()).rejects.toMatchObject({ code: 'EVT_REGISTRY_REFUSED' })
  })

  test('a redirect is not followed: the credentials would go along', async () => {
    answer = (_, response) => void response.writeHead(302, { location: 'https://u:pw@elsewhere/login?token=t' }).end()
    const refused = client({ auth: { bearer: 'a-long-token' } }).byId(1)
    await expect(refused).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      message: expect.stringContaining('https://elsewhere/login.'),
    })
    expect(requests).toHaveLength(1)
  })

  test('an answer without end is not read to its end', async () => {
    answer = (_, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      }
      response.on('drain', more)
      more()
    }
    await expect(client({ maxAnswerBytes: 1_000_000 }).byId(1)).rejects.toMatchObject({
      code: 'EVT_REGISTRY_REFUSED',
      message: expect.stringContaining('more than 1000000 bytes'),
    })
  })
})

describe('the address', () => {
  test.each(['', '/', '/apis/ccompat/v7', '/apis/ccompat/v7///'])('may end with "%s"', async (path) => {
    await client({ url: `${url}${path}` }).byId(5)
    expect(requests[0]?.url).toBe(`${path.replace(/\/+$/, '')}/schemas/ids/5`)
  })

  test('may hold a query, which is sent with every request', async () => {
    answer = json(200, [])
    await client({ url: `${url}/api?tenant=a%20b` }).subjects('orders')
    expect(requests[0]?.url).toBe('/api/subjects?tenant=a%20b&subjectPrefix=orders')
  })

  test('names of subjects are escaped', async () => {
    answer = json(200, [1])
    await client().versions('a/b c?d#e')
    expect(requests[0]?.url).toBe('/subjects/a%2Fb%20c%3Fd%23e/versions')
  })

  test.each(['registry:8081', 'ftp://registry', 'http://', 'secret-password@host'])('cannot be "%s"', (address) => {
    let message = ''
    try {
      client({ url: address })
    } catch (error) {
      message = inspect(error)
    }
    expect(message).toContain('EVT_INVALID_CONFIGURATION')
    expect(message).not.toContain('secret-password')
  })
})

describe('credentials', () => {
  test('in the address are sent', async () => {
    await client({ url: url.replace('//', '//us%40er:p%2Fw@') }).byId(1)
    expect(requests[0]?.headers.authorization).toBe(`Basic ${btoa('us@er:p/w')}`)
  })

  test('given apart are sent', async () => {
    await client({ auth: { basic: { username: 'u', password: 'p' } } }).byId(1)
    await client({ auth: { bearer: 'fixed' } }).byId(1)
    let calls = 0
    const fresh = client({ auth: { bearer: async () => `token-${++calls}` } })
    await fresh.byId(1)
    await fresh.byId(2)
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${btoa('u:p')}`,
      'Bearer fixed',
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  test('given twice are refused', () => {
    expect(() => client({ url: url.replace('//', '//u:p@'), auth: { bearer: 't' } })).toThrow(/keep one/)
  })

  test('are never shown: not by the client, not by its errors, not when the other side repeats them', async () => {
    const secrets = ['hunter2-secret', 'query-secret', btoa('user:hunter2-secret')]
    const secret = client({ url: `${url.replace('//', '//user:hunter2-secret@')}?key=query-secret` })
    const shown = [inspect(secret, { depth: 20, showHidden: true }), JSON.stringify(secret), secret.place]
    const echo: Answer = (request, response) =>
      json(422, { error_code: 42201, message: `bad ${request.url} ${request.headers.authorization} hunter2-secret` })(
        request,
        response,
      )
    const answers: Answer[] = [
      echo,
      json(503, {}),
      (request, response) => void response.writeHead(500).end(`${request.headers.authorization} ${request.url}`),
      (request, response) => void response.writeHead(200).end(`<p>${request.url}</p>`),
      (request) => void request.destroy(),
    ]
    for (answer of answers)
      shown.push(await secret.mode().then(String, (error) => inspect(error, { depth: 20, showHidden: true })))
    expect(shown).toHaveLength(8)
    for (const text of shown) for (const word of secrets) expect(text).not.toContain(word)
  })
})

test('a client that is closed ends what is under way and takes nothing more', async () => {
  answer = () => {}
  const closing = client()
  const asked = expect(closing.byId(1)).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  await vi.waitFor(() => expect(requests).toHaveLength(1))
  await closing.close()
  await asked
  await expect(closing.byId(2)).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  await closing.close()
})

test('many calls at once are no leak to warn of', async () => {
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.name)
  process.on('warning', listen)
  const asking = client()
  await Promise.all(Array.from({ length: 40 }, (_, id) => asking.byId(id)))
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  expect(warnings).toEqual([])
})
