import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { databaseLink } from '../../../../test/faulty-link.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate } from '../../../../test/recording-sender.ts'
import { silentLogger } from '../core/logger.ts'
import { createPostgres, type PostgresOptions, type Sql } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
await sql.query('create table notes (id integer primary key)')
const { link, url } = await databaseLink(database.url)

const open: Sql[] = []
const quick = { answerTimeoutMs: 100, connectTimeoutMs: 300, logger: silentLogger } as const
const connect = (options: PostgresOptions = {}): Sql => {
  const on = createPostgres({ connectionString: url, ...quick, ...options })
  open.push(on)
  return on
}
const notes = async () => (await sql.query('select id from notes order by id')).rows.map((row) => row.id)

beforeEach(async () => {
  link.thaw()
  await Promise.allSettled(open.splice(0).map((on) => on.close(100)))
  await sql.query('truncate notes')
})
afterAll(async () => {
  link.thaw()
  await Promise.allSettled(open.splice(0).map((on) => on.close(100)))
  await link.close()
})

describe('a database that does not answer', () => {
  test('is an outage for a statement under way and for those that come, and over when it answers again', async () => {
    const on = connect()
    await on.query('select 1')
    link.freeze()
    await expect(on.query('select 1')).rejects.toMatchObject({
      code: 'EVT_DATABASE_UNAVAILABLE',
      message: expect.stringMatching(/no answer for \d+ ms/),
    })
    await expect(on.query('select 1')).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    link.thaw()
    await eventually(async () => expect((await on.query('select 1 as one')).rows).toEqual([{ one: 1 }]))
  })

  test('is an outage for a transaction in the middle, which is not committed', async () => {
    const on = connect()
    const work = on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      link.freeze()
      await tx.query('insert into notes values (2)')
    })
    await expect(work).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    link.thaw()
    await eventually(async () => expect(await notes()).toEqual([]))
  })

  test('to one connection alone, whose answer was lost on the way, is found out by asking it on another', async () => {
    const on = connect({ maxConnections: 1 })
    await on.query('select 1')
    link.swallowAnswerTo('select 42')
    await expect(on.query('select 42')).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    expect((await on.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('because it is at work on a slow statement is waited for', async () => {
    const on = connect()
    const held = gate()
    const locked = gate()
    const holder = sql.transaction(async (tx) => {
      await tx.query('lock table notes')
      locked.open()
      await held.opened
    })
    await locked.opened
    let answered = false
    const slow = on.query('select count(*)::int4 as n from notes').finally(() => {
      answered = true
    })
    // Long enough for it to be asked about several times.
    await expect(sql.query('select pg_sleep(0.8)')).resolves.toBeDefined()
    expect(answered).toBe(false)
    held.open()
    await holder
    expect((await slow).rows).toEqual([{ n: 0 }])
  })

  test('leaves it open whether a commit took place whose answer was lost; the work says so itself', async () => {
    const on = connect()
    await on.query('select 1')
    link.loseAnswerTo('COMMIT')
    const lost = on.transaction((tx) => tx.query('insert into notes values ($1)', [1]))
    await expect(lost).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    link.swallowAnswerTo('COMMIT')
    const swallowed = on.transaction((tx) => tx.query('insert into notes values ($1)', [2]))
    await expect(swallowed).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    await eventually(async () => expect(await notes()).toEqual([1, 2]))
  })

  test('does not hold up closing: what runs is given up at the deadline, and free connections are dropped', async () => {
    const on = connect({ answerTimeoutMs: 60_000 })
    await Promise.all([on.query('select 1'), on.query('select 1')])
    link.freeze()
    const stuck = on.query('select 1')
    stuck.catch(() => {})
    await expect(on.close(100)).rejects.toMatchObject({ code: 'EVT_CLOSE_DEADLINE' })
    await expect(stuck).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })

    link.thaw()
    const idle = connect()
    await idle.query('select 1')
    link.freeze()
    await idle.close(100)
  })

  test('does not hold up a session that is given up', async () => {
    const on = connect({ answerTimeoutMs: 60_000 })
    const controller = new AbortController()
    const began = gate()
    const work = on.session(
      async (session) => {
        await session.query('select 1')
        link.freeze()
        began.open()
        await session.query('select 1')
      },
      { signal: controller.signal },
    )
    work.catch(() => {})
    await began.opened
    controller.abort()
    await expect(work).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
  })
})

describe('a transaction in which nothing is done', () => {
  test('is ended by the server after its time with all it holds, and says why; it is no outage', async () => {
    const on = connect({ idleInTransactionMs: 100 })
    const inserted = gate()
    const resume = gate()
    const work = on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      inserted.open()
      await resume.opened
      await tx.query('insert into notes values (2)')
    })
    work.catch(() => {})
    await inserted.opened
    // The row is locked by the open transaction: this waits until the server has ended that.
    await sql.query('insert into notes values (1)')
    resume.open()
    await expect(work).rejects.toMatchObject({
      code: '25P03',
      message: expect.stringContaining('longer than idleInTransactionMs'),
    })
    expect(await notes()).toEqual([1])
  })

  test('cannot commit after that', async () => {
    const on = connect({ idleInTransactionMs: 100 })
    const inserted = gate()
    const resume = gate()
    const work = on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      inserted.open()
      await resume.opened
    })
    work.catch(() => {})
    await inserted.opened
    await sql.query('insert into notes values (1)')
    resume.open()
    await expect(work).rejects.toMatchObject({ code: '25P03' })
  })
})

describe('a server that cannot serve', () => {
  test('because it takes no writes is an outage that says so; the next connection may find another', async () => {
    const on = connect({ maxConnections: 1, applicationName: 'reads-only' })
    await on.query('set default_transaction_read_only = on')
    await expect(on.query('insert into notes values (1)')).rejects.toMatchObject({
      code: 'EVT_DATABASE_UNAVAILABLE',
      message: expect.stringContaining('read-only transaction'),
    })
    await on.query('insert into notes values (1)')
  })

  test('because it has no connection left is an outage', async () => {
    await sql.query(`create role crowded login connection limit 1`)
    try {
      await sql.query('grant all on notes to crowded')
      const asCrowded = new URL(url)
      asCrowded.username = 'crowded'
      const on = connect({ connectionString: asCrowded.href })
      const taken = on.transaction(async (tx) => {
        await tx.query('select 1')
        await expect(on.query('select 1')).rejects.toMatchObject({
          code: 'EVT_DATABASE_UNAVAILABLE',
          message: expect.stringContaining('too many connections'),
        })
      })
      await taken
      await on.close()
    } finally {
      await sql.query('drop owned by crowded; drop role crowded')
    }
  })
})

test.each(['answerTimeoutMs', 'idleInTransactionMs', 'acquireTimeoutMs', 'connectTimeoutMs'])(
  '%s that is not above 0 is refused',
  (name) => {
    expect(() => createPostgres({ [name]: 0 })).toThrow(new RegExp(`${name} must be a number of milliseconds above 0`))
  },
)
