import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { gate } from '../../../../test/recording-sender.ts'
import { defineMigrations, migrate, migrationStatus, type Sql } from './index.ts'
import { createPglite } from './pglite.ts'

let database: PGlite
let sql: Sql
beforeAll(async () => {
  database = await PGlite.create()
  sql = createPglite(database, { schema: 'notes-service' })
  await sql.query('create table notes (id integer primary key, text text)')
}, 120_000)
afterAll(async () => {
  await sql.close()
  await database.close()
})

const notes = async () => {
  const { rows } = await sql.query('select id from notes order by id')
  return rows.map((row) => row.id)
}
const clear = () => sql.query('truncate notes')

describe('PGlite', () => {
  test('gives values as the pg client does', async () => {
    const { rows, rowCount } = await sql.query(
      `select 9007199254740993::bigint as big, 1.50::numeric as exact, '\\x00ff'::bytea as bytes, '2026-01-02T03:04:05Z'::timestamptz as at, $1::bytea[] as list`,
      [[Buffer.from([1, 0]), null]],
    )
    expect(rows).toEqual([
      {
        big: '9007199254740993',
        exact: '1.50',
        bytes: Buffer.from([0, 255]),
        at: new Date('2026-01-02T03:04:05Z'),
        list: [expect.anything(), null],
      },
    ])
    expect(Buffer.isBuffer(rows[0]?.bytes)).toBe(true)
    expect(rowCount).toBe(1)
    expect((await sql.query('select 1 as one; select 2 as two')).rows).toEqual([{ two: 2 }])
  })

  test('commits what a transaction did, and takes it back when it fails', async () => {
    await clear()
    const done: string[] = []
    await sql.transaction(async (tx) => {
      tx.onCommit(() => done.push('committed'))
      await tx.query('insert into notes values ($1)', [1])
      await tx.enqueue('insert into notes values ($1)', [2])
    })
    expect(done).toEqual(['committed'])
    await expect(sql.transaction((tx) => tx.enqueue('insert into notes values ($1)', [2]))).rejects.toMatchObject({
      code: '23505',
    })
    const caught = sql.transaction(async (tx) => {
      await tx.query('insert into notes values (3)')
      await tx.query('select 1/0').catch(() => {})
    })
    await expect(caught).rejects.toThrow(/rolled back/)
    expect(await notes()).toEqual([1, 2])
  })

  test('lets one transaction wait for the other, and takes back one that is given up', async () => {
    await clear()
    const controller = new AbortController()
    const began = gate()
    const stuck = sql.transaction(
      async (tx) => {
        await tx.query('insert into notes values (1)')
        began.open()
        await new Promise(() => {})
      },
      { signal: controller.signal },
    )
    await began.opened
    const next = sql.transaction((tx) => tx.query('insert into notes values (2)'))
    controller.abort(new Error('given up'))
    await expect(stuck).rejects.toThrow('given up')
    await next
    expect(await notes()).toEqual([2])
  })

  test('runs nothing of a transaction that was given up while it waited for its turn', async () => {
    await clear()
    const controller = new AbortController()
    const [began, hog, asked] = [gate(), gate(), gate()]
    const first = sql.transaction(async (tx) => {
      await tx.query('select 1')
      began.open()
      await hog.opened
    })
    await began.opened
    const second = sql.transaction(
      (tx) => {
        const insert = tx.query('insert into notes values ($1) /* planned by nobody yet */', [7])
        asked.open()
        return insert
      },
      { signal: controller.signal },
    )
    await asked.opened
    controller.abort(new Error('given up'))
    hog.open()
    await expect(second).rejects.toThrow('given up')
    await first
    expect(await notes()).toEqual([])
  })

  test('gives each service its own schema, and leaves nothing of it behind for others', async () => {
    const searchPath = async () => (await database.query('show search_path')).rows
    const before = await searchPath()
    const other = createPglite(database, { schema: 'other' })
    await other.query('create table notes (id integer)')
    await sql.transaction(async (tx) => void (await tx.query('select 1')))
    await other.query('insert into notes values (42)')
    expect(await notes()).not.toContain(42)
    expect(await searchPath()).toEqual(before)
    await expect(createPglite(database, { schema: 'third' }).query('select * from notes')).rejects.toMatchObject({
      code: '42P01',
    })
  })

  test('creates its schema later when it could not at first', async () => {
    const exec = vi.spyOn(database, 'exec').mockRejectedValueOnce(new Error('not now'))
    const later = createPglite(database, { schema: 'later' })
    await expect(later.query('select 1 as one')).rejects.toThrow('not now')
    exec.mockRestore()
    expect((await later.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('migrates each schema on its own', async () => {
    const list = defineMigrations('list', [
      { id: '1', sql: 'create table a (id integer); create table b (id integer)' },
    ])
    const here = createPglite(database, { schema: 'here' })
    const there = createPglite(database, { schema: 'there' })
    await Promise.all([migrate(here, [list]), migrate(here, [list])])
    expect(await migrationStatus(here, [list])).toMatchObject({ ok: true })
    expect(await migrationStatus(there, [list])).toMatchObject({ ok: false })
  })

  test('keeps locks of sessions apart although they share the one connection', async () => {
    await sql.session(async (first) => {
      expect(await first.locks.take(7, [1, 2])).toEqual([1, 2])
      await first.locks.join(7)
      await createPglite(database).session(async (second) => {
        expect(await second.locks.take(7, [1, 2, 3])).toEqual([3])
        await second.locks.join(7)
        expect(await first.locks.members(7)).toBe(2)
      })
      expect(await first.locks.members(7)).toBe(1)
      expect(await first.locks.take(7, [3])).toEqual([3])
      expect(first.shared).toBe(true)
    })
  })

  test('refuses what comes after close, and leaves the database open', async () => {
    const closed = createPglite(database)
    await closed.close()
    await expect(closed.query('select 1')).rejects.toMatchObject({ code: 'EVT_CLOSED' })
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})
