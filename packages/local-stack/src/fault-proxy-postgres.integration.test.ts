import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createPostgresFaultProxy, type PostgresFaultProxy } from './fault-proxy-postgres.ts'

let proxy: PostgresFaultProxy
let direct: Client
const table = `proxied_rows_${process.pid}`

beforeAll(async () => {
  const url = new URL(inject('databaseUrl'))
  proxy = await createPostgresFaultProxy({ target: { host: url.hostname, port: Number(url.port || 5432) } })
  direct = new Client({ connectionString: url.href })
  await direct.connect()
  await direct.query(`create table ${table} (name text)`)
})

beforeEach(async () => {
  proxy.heal()
  await direct.query(`truncate ${table}`)
})

afterAll(async () => {
  await direct?.query(`drop table ${table}`)
  await direct?.end()
  await proxy?.close()
})

/** Names in the table, as the server knows them. */
const rows = async () =>
  (await direct.query<{ name: string }>(`select name from ${table}`)).rows.map(({ name }) => name)

/** Works on a connection through the proxy, which may be gone afterwards. */
async function proxied<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const url = new URL(inject('databaseUrl'))
  url.hostname = '127.0.0.1'
  url.port = `${proxy.port}`
  const client = new Client({ connectionString: url.href })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const insertIn = (client: Client, name: string) =>
  client
    .query('begin')
    .then(() => client.query(`insert into ${table} values ($1)`, [name]))
    .then(() => client.query('commit'))

for (const verb of ['closeOnAnswer', 'resetOnAnswer'] as const)
  test(`${verb} of COMMIT leaves the row there while its client is told that the connection ended`, async () => {
    const fault = proxy[verb]('COMMIT')
    await proxied(async (client) => {
      await expect(insertIn(client, verb)).rejects.toThrow()
    })
    expect(fault.fired).toBe(1)
    expect(await rows()).toEqual([verb])
  })

test('a COMMIT that never reaches the server leaves nothing', async () => {
  const fault = proxy.closeOnStatement(/^commit$/i)
  await proxied(async (client) => {
    await expect(insertIn(client, 'never')).rejects.toThrow()
  })
  expect(fault.fired).toBe(1)
  expect(await rows()).toEqual([])
})

test('after a silent answer the row is there and the client waits', async () => {
  const fault = proxy.silenceOnAnswer('INSERT')
  await proxied(async (client) => {
    const inserted = client.query(`insert into ${table} values ('silent')`)
    await fault.whenFired()
    await expect.poll(rows).toEqual(['silent'])
    const [link] = proxy.links
    expect(link?.isOpen).toBe(true)
    link?.close()
    await expect(inserted).rejects.toThrow()
  })
})

test('a prepared statement is known by its text each time it is carried out', async () => {
  await proxied(async (client) => {
    const insert = (name: string) =>
      client.query({ name: 'insert-row', text: `insert into ${table} values ($1)`, values: [name] })
    await insert('first')
    const fault = proxy.closeOnStatement(`INSERT INTO ${table}`)
    await expect(insert('second')).rejects.toThrow()
    expect(fault.fired).toBe(1)
  })
  expect(await rows()).toEqual(['first'])
})

test('a late answer comes all the same', async () => {
  const fault = proxy.delayAnswer('COMMIT', 20)
  await proxied((client) => insertIn(client, 'late'))
  expect(fault.fired).toBe(1)
  expect(await rows()).toEqual(['late'])
})

test('a client that asks for TLS is told that there is none', async () => {
  const url = new URL(inject('databaseUrl'))
  const client = new Client({
    ...{ host: '127.0.0.1', port: proxy.port, user: decodeURIComponent(url.username), ssl: true },
  })
  client.on('error', () => {})
  await expect(client.connect()).rejects.toThrow(/SSL/)
})
