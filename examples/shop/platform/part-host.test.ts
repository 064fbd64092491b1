import { DatabaseUnavailableError, type Logger, silentLogger, systemClock } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { defineMigrations, type Sql } from '@evtkit/sdk/postgres'
import { createSchemaRegistry } from '@evtkit/sdk/registry/server'
import { afterEach, expect, test, vi } from 'vitest'
import { OrderCreated } from '../contracts/index.ts'
import { PartHost, type PartHostOptions } from './part-host.ts'
import type { Service } from './service.ts'
import { readSettings } from './settings.ts'
import { registerShopSchemas } from './shop-schemas.ts'
import { avroWire } from './wire.ts'

let host: PartHost | undefined

afterEach(() => host?.close(1000))

const service: Service = {
  kind: 'service',
  name: 'orders',
  migrations: defineMigrations('nothing', []),
  publishes: [],
  create({ http }) {
    http.get('/orders', async () => 'here')
    return { handles: [], start: async () => {}, close: async () => {}, health: () => [] }
  },
}

/** A database that cannot be reached until it is put up. */
const awayDatabase = () => {
  let up = false
  const refuse = () => Promise.reject(new DatabaseUnavailableError('connection refused'))
  const sql: Sql = {
    query: () => (up ? Promise.resolve({ rows: [], rowCount: 0 }) : refuse()),
    // What the work would have returned is of no interest to who waits for the database.
    transaction: () => (up ? Promise.resolve(undefined as never) : refuse()),
    session: refuse,
    close: async () => {},
  }
  return { sql, putUp: () => (up = true), takeDown: () => (up = false) }
}

const hostOn = (sql: Sql, logger: Logger = silentLogger, options: Partial<PartHostOptions> = {}) => {
  host = new PartHost({
    part: service,
    logger,
    clock: systemClock,
    settings: readSettings({}),
    fetchFrom: () => () => Promise.reject(new Error('nobody to talk to')),
    openDatabase: () => sql,
    openBroker: () => createMemoryBroker({ logger: silentLogger }),
    ...options,
  })
  return host
}

test('a service waits for a database that is not there, says so, and goes on by itself', async () => {
  const lines: string[] = []
  const database = awayDatabase()
  const waiting = hostOn(database.sql, { ...silentLogger, warn: (_, message) => lines.push(message) })
  const started = waiting.start()

  await vi.waitFor(() =>
    expect(lines[0]).toMatch(/^database: attempt 1 failed \(connection refused\), next in \d+ ms$/),
  )
  const red = await waiting.http.inject('/readyz')
  expect(red.statusCode).toBe(503)
  expect(red.json().notReady).toEqual(['database'])
  expect((await waiting.http.inject('/livez')).statusCode).toBe(200)
  expect((await waiting.http.inject('/orders')).statusCode).toBe(503)

  database.putUp()
  await started
  expect((await waiting.http.inject('/readyz')).statusCode).toBe(200)
  expect((await waiting.http.inject('/orders')).body).toBe('here')
})

test('a database that goes away turns a running service red, and nothing else', async () => {
  const database = awayDatabase()
  database.putUp()
  const running = hostOn(database.sql)
  await running.start()
  database.takeDown()
  const red = await running.http.inject('/readyz')
  expect(red.statusCode).toBe(503)
  expect(red.json().notReady).toEqual(['database'])
  expect((await running.http.inject('/livez')).statusCode).toBe(200)
})

test('a service that is told to end while it waits ends', async () => {
  const waiting = hostOn(awayDatabase().sql)
  const started = waiting.start()
  await waiting.close(1000)
  await expect(started).rejects.toThrow('orders was closed')
})

test('a request that hangs does not keep a service from closing by its deadline; its events get their share of the time', async () => {
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const given: number[] = []
  const hanging: Service = {
    ...service,
    create({ http }) {
      http.get('/orders', () => {
        asked()
        return new Promise(() => {})
      })
      const close = async (deadlineMs: number) => void given.push(deadlineMs)
      return { handles: [], start: async () => {}, close, health: () => [] }
    },
  }
  const running = hostOn(reachable(), silentLogger, { part: hanging })
  const url = await running.listen(0)
  await running.start()
  const answer = fetch(`${url}/orders`)
  answer.catch(() => {})
  await wasAsked
  await running.close(400)
  await expect(answer).rejects.toThrow()
  expect(given[0]).toBeGreaterThan(50)
})

const reachable = () => {
  const database = awayDatabase()
  database.putUp()
  return database.sql
}
const publishing: Service = { ...service, publishes: [OrderCreated] }

test('a service whose topics are not there does not start, and says which and what makes them', async () => {
  const starting = hostOn(reachable(), silentLogger, { part: publishing, topics: 'verify' })
  await expect(starting.start()).rejects.toMatchObject({
    code: 'EVT_UNKNOWN_TOPIC',
    message: expect.stringMatching(/"order-events".*evt topics apply/),
  })
})

test('a service whose schemas are not registered does not start, and says which; once they are, it does', async () => {
  const registry = createSchemaRegistry().client()
  const options = { part: publishing, openWire: () => avroWire(registry) }
  const starting = hostOn(reachable(), silentLogger, options)
  await expect(starting.start()).rejects.toMatchObject({
    code: 'EVT_SCHEMA_NOT_REGISTERED',
    message: expect.stringMatching(/OrderCreated v1 .*evt schema push/),
  })
  await registerShopSchemas(registry)
  await hostOn(reachable(), silentLogger, options).start()
})
