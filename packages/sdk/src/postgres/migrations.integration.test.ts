import { beforeEach, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { checkMigrated, defineMigrations, migrate, migrationStatus } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()

const first = { id: '001-a', sql: 'create table a (id integer); create index a_id on a (id)' }
const second = { id: '002-b', sql: 'create table b (id integer)' }
const v1 = defineMigrations('shop', [first])
const v2 = defineMigrations('shop', [first, second])
const other = defineMigrations('other', [{ id: '001-c', sql: 'create table c (id integer)' }])

describe('migrations', () => {
  beforeEach(async () => {
    await sql.query('drop table if exists a, b, c, evtkit_migrations')
  })

  test('apply what is pending, in order, once', async () => {
    expect(await migrationStatus(sql, [v2, other])).toEqual({
      ok: false,
      applied: [],
      pending: ['shop/001-a', 'shop/002-b', 'other/001-c'],
      changed: [],
    })
    expect(await migrate(sql, [v1])).toMatchObject({ ok: true, applied: ['shop/001-a'] })
    expect(await migrationStatus(sql, [v2])).toMatchObject({ ok: false, pending: ['shop/002-b'] })
    const done = { ok: true, applied: ['shop/001-a', 'shop/002-b', 'other/001-c'], pending: [], changed: [] }
    expect(await migrate(sql, [v2, other])).toEqual(done)
    expect(await migrate(sql, [v2, other])).toEqual(done)
    expect(await migrationStatus(sql, [v2, other])).toEqual(done)
  })

  test('are safe when several processes start at once', async () => {
    const processes = Array.from({ length: 6 }, () => database.connect({ maxConnections: 1 }))
    const results = await Promise.all(processes.map((process) => migrate(process, [v2, other])))
    for (const result of results) expect(result.ok).toBe(true)
  })

  test('are all or nothing', async () => {
    const broken = defineMigrations('shop', [first, { id: '002-broken', sql: 'create table b (id nonsense)' }])
    await expect(migrate(sql, [broken])).rejects.toMatchObject({ code: '42704' })
    expect(await migrationStatus(sql, [v1])).toMatchObject({ ok: false, pending: ['shop/001-a'] })
    expect((await sql.query(`select to_regclass('a') as a`)).rows).toEqual([{ a: null }])
  })

  test('that were changed after they had been applied are reported, and refused', async () => {
    await migrate(sql, [v1])
    const changed = defineMigrations('shop', [{ ...first, sql: 'create table a (id bigint)' }, second])
    expect(await migrationStatus(sql, [changed])).toEqual({
      ok: false,
      applied: [],
      pending: ['shop/002-b'],
      changed: ['shop/001-a'],
    })
    await expect(migrate(sql, [changed])).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
    await expect(migrate(sql, [changed])).rejects.toThrow(/shop\/001-a/)
    expect(await migrationStatus(sql, [v2])).toMatchObject({ pending: ['shop/002-b'] })
  })

  test('that are missing keep a service from starting, with the call that helps', async () => {
    await migrate(sql, [v1])
    await checkMigrated(sql, [v1])
    await expect(checkMigrated(sql, [v2])).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED', retryable: false })
    await expect(checkMigrated(sql, [v2])).rejects.toThrow(/shop\/002-b is pending.*migrate\(sql/)
  })

  test('with the same id twice are refused when they are defined', () => {
    expect(() => defineMigrations('shop', [first, first])).toThrow(/same id/)
  })
})
