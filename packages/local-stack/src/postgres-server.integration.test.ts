import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attachPostgres, type PostgresServer, startPostgres } from './postgres-server.ts'

let folder: string
let postgres: PostgresServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-postgres-test-'))
  postgres = await startPostgres({ dataDir: join(folder, 'data'), progress: () => {} })
})

afterAll(async () => {
  await postgres?.stop({ removeData: true })
  await rm(folder, { recursive: true })
})

test('databases are apart from each other and can be dropped while someone is connected', async () => {
  const one = await postgres.createDatabase()
  const two = await postgres.createDatabase('a "named" one')
  await query(one.url, 'CREATE TABLE only_here (id int)')
  await expect(query(two.url, 'SELECT * FROM only_here')).rejects.toMatchObject({ code: '42P01' })
  const client = new pg.Client({ connectionString: one.url })
  client.on('error', () => {})
  await client.connect()
  await one.drop()
  await two.drop()
  await expect(query(one.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
  await client.end()
})

test('commits are durable unless asked otherwise', async () => {
  expect(await query(postgres.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
  expect(await query(postgres.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
})

test('what was committed is there after the server was killed and started again', async () => {
  const database = await postgres.createDatabase()
  await query(database.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  const killed = postgres.pid
  await postgres.kill('SIGKILL')
  await expect(postgres.kill('SIGTERM')).rejects.toMatchObject({ code: 'SERVER_NOT_RUNNING' })
  await postgres.restart()
  expect(postgres.pid).not.toBe(killed)
  expect(await query(database.url, 'SELECT * FROM kept')).toEqual([{ answer: 42 }])
})

test('a killed server starts again once the last of its helpers is gone', async () => {
  const client = new pg.Client({ connectionString: postgres.url })
  client.on('error', () => {})
  await client.connect()
  const helper: number = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
  process.kill(helper, 'SIGSTOP')
  await postgres.kill('SIGKILL')
  const restarted = postgres.restart()
  await expect.poll(() => readFile(postgres.logFile, 'utf8')).toContain('pre-existing shared memory block')
  process.kill(helper, 'SIGCONT')
  await restarted
  expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  await client.end()
})

test('another process can find the server by its data folder, stop it and start it on the same data', async () => {
  const database = await postgres.createDatabase()
  await query(database.url, 'CREATE TABLE kept AS SELECT 43 AS answer')
  const found = await attachPostgres(postgres.dataDir)
  expect(found).toMatchObject({ pid: postgres.pid, url: postgres.url })
  await found?.stop()
  expect(await postgres.isAlive()).toBe(false)
  expect(await attachPostgres(postgres.dataDir)).toBeUndefined()
  postgres = await startPostgres({ dataDir: postgres.dataDir, port: postgres.port, progress: () => {} })
  expect(await query(database.url, 'SELECT * FROM kept')).toEqual([{ answer: 43 }])
})

test('a temporary folder goes with its server', async () => {
  const temporary = await startPostgres({ durable: false, progress: () => {} })
  expect(await query(temporary.url, 'SHOW fsync')).toEqual([{ fsync: 'off' }])
  expect(await readdir(temporary.dataDir)).toContain('postgres.log')
  await temporary.stop()
  await expect(readdir(temporary.dataDir)).rejects.toMatchObject({ code: 'ENOENT' })
})

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
