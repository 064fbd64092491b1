import { createServer } from 'node:net'
import { Client, Pool } from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate } from '../../../../test/recording-sender.ts'
import { silentLogger } from '../core/logger.ts'
import { createPostgres, type Sql } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
await sql.query('create table notes (id integer primary key, text text)')

const notes = async () => {
  const { rows } = await sql.query('select id from notes order by id')
  return rows.map((row) => row.id)
}
const clear = () => sql.query('truncate notes')
const kill = (name: string) =>
  sql.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [name])

describe.each([
  ['with pipelining', true],
  ['on a pool without pipelining', false],
])('transactions %s', (_, pipeline) => {
  const open = (): { readonly on: Sql; close(): Promise<void> } => {
    if (pipeline) {
      const on = createPostgres({ connectionString: database.url })
      return { on, close: () => on.close() }
    }
    const pool = new Pool({ connectionString: database.url })
    const on = createPostgres({ pool })
    return { on, close: () => on.close().then(() => pool.end()) }
  }

  test('commit what the work did, and run its callbacks after that', async () => {
    await clear()
    const { on, close } = open()
    const committed = vi.fn(() => {})
    const answer = await on.transaction(async (tx) => {
      tx.onCommit(committed)
      await tx.enqueue('insert into notes values ($1, $2)', [1, 'a'])
      await tx.query('insert into notes values ($1, $2)', [2, 'b'])
      await tx.enqueue('insert into notes values ($1, $2)', [3, 'c'])
      return 'answer'
    })
    expect(answer).toBe('answer')
    expect(await notes()).toEqual([1, 2, 3])
    expect(committed).toHaveBeenCalledOnce()
    await close()
  })

  test('leave nothing behind when a statement fails, first or last, awaited or queued', async () => {
    await clear()
    const { on, close } = open()
    await on.query('insert into notes values (0)')
    const again = 'insert into notes values ($1)'
    const works = [
      () => on.transaction((tx) => tx.query(again, [0])),
      () =>
        on.transaction(async (tx) => {
          await tx.query(again, [1])
          await tx.query(again, [0])
        }),
      () =>
        on.transaction(async (tx) => {
          await tx.query(again, [2])
          await tx.enqueue(again, [0])
        }),
      () =>
        on.transaction(async (tx) => {
          await tx.enqueue(again, [3])
          await tx.enqueue(again, [0])
        }),
      () =>
        on.transaction(async (tx) => {
          await tx.enqueue(again, [0])
          await tx.query(again, [4])
        }),
    ]
    for (const work of works) await expect(work()).rejects.toMatchObject({ code: '23505' })
    expect(await notes()).toEqual([0])
    await close()
  })

  test('do not pretend to have committed when the error of a statement was caught', async () => {
    await clear()
    const { on, close } = open()
    const work = on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      await tx.query('select 1/0').catch(() => {})
    })
    await expect(work).rejects.toThrow(/rolled back/)
    expect(await notes()).toEqual([])
    await close()
  })

  test('go on after an error inside a savepoint', async () => {
    await clear()
    const { on, close } = open()
    await on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      await tx.query('savepoint s')
      await tx.query('select 1/0').catch(() => {})
      await tx.query('rollback to savepoint s')
    })
    expect(await notes()).toEqual([1])
    await close()
  })

  test('that are given up roll back at once, though a statement of theirs is stuck behind a lock', async () => {
    await clear()
    const { on, close } = open()
    await sql.query('insert into notes values (1)')
    const held = gate()
    const locked = gate()
    const holder = sql.transaction(async (tx) => {
      await tx.query('update notes set text = $1', ['held'])
      locked.open()
      await held.opened
    })
    await locked.opened
    const controller = new AbortController()
    const stuck = on.transaction(
      async (tx) => {
        await tx.query('insert into notes values (2)')
        await tx.query('update notes set text = $1', ['never'])
      },
      { signal: controller.signal },
    )
    stuck.catch(() => {})
    await eventually(async () => {
      const { rows } = await sql.query(
        `select count(*)::int4 as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
      expect(rows[0]?.n).toBe(1)
    })
    controller.abort(new Error('given up'))
    await expect(stuck).rejects.toThrow('given up')
    held.open()
    await holder
    expect(await notes()).toEqual([1])
    expect((await on.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await close()
  })
})

describe('a connection', () => {
  test('that is cut in the middle of a transaction fails it as an outage; the next one works', async () => {
    await clear()
    const on = database.connect({ applicationName: 'cut-one', maxConnections: 1, logger: silentLogger })
    const work = on.transaction(async (tx) => {
      await tx.query('insert into notes values (1)')
      await kill('cut-one')
      await tx.query('insert into notes values (2)')
    })
    await expect(work).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE', retryable: true })
    expect(await notes()).toEqual([])
    expect((await on.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('that is cut while it is idle ends nothing: it is logged and replaced', async () => {
    const warn = vi.fn()
    const on = database.connect({ applicationName: 'idle-one', maxConnections: 1, logger: { ...silentLogger, warn } })
    await on.query('select 1')
    await kill('idle-one')
    await eventually(() => expect(warn).toHaveBeenCalledOnce())
    expect(JSON.stringify(warn.mock.calls)).not.toContain(database.url)
    expect((await on.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('to a server that is not there is an outage that names the place and no secret', async () => {
    const nowhere = createPostgres({ connectionString: 'postgres://me:topsecret@127.0.0.1:1/orders' })
    const failure = nowhere.query('select 1')
    await expect(failure).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    await expect(failure).rejects.toThrow(/PostgreSQL at 127\.0\.0\.1:1\/orders/)
    await expect(failure).rejects.not.toThrow(/topsecret/)
    await nowhere.close()
  })

  test('that none is free for is an outage after the timeout', async () => {
    const on = database.connect({ maxConnections: 1, acquireTimeoutMs: 100 })
    const busy = gate()
    const began = gate()
    const work = on.transaction(async (tx) => {
      await tx.query('select 1')
      began.open()
      await busy.opened
    })
    await began.opened
    await expect(on.query('select 1')).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    busy.open()
    await work
  })

  test('is not given to the next one with a transaction still open', async () => {
    const on = database.connect({ maxConnections: 1 })
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController()
      const work = on.transaction(
        async (tx) => {
          await tx.query('select 1')
          controller.abort(new Error('given up'))
          await tx.query('select 2')
        },
        { signal: controller.signal },
      )
      await work.catch(() => {})
      const { rows } = await on.query('select now() = statement_timestamp() as fresh')
      expect(rows).toEqual([{ fresh: true }])
    }
  })

  test('is used by nobody after close', async () => {
    const on = createPostgres({ connectionString: database.url })
    await on.query('select 1')
    await Promise.all([on.close(), on.close()])
    await expect(on.query('select 1')).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  })
})

describe('statements', () => {
  test('give bigint and numeric as text, bytea as a Buffer, timestamps as Dates', async () => {
    const { rows, rowCount } = await sql.query(
      `select 9007199254740993::bigint as big, 1.50::numeric as exact, '\\x00ff'::bytea as bytes, '2026-01-02T03:04:05Z'::timestamptz as at`,
    )
    expect(rows).toEqual([
      { big: '9007199254740993', exact: '1.50', bytes: Buffer.from([0, 255]), at: new Date('2026-01-02T03:04:05Z') },
    ])
    expect(rowCount).toBe(1)
  })

  test('without values may be several; the last result counts', async () => {
    const { rows } = await sql.query('select 1 as one; select 2 as two')
    expect(rows).toEqual([{ two: 2 }])
  })

  test('keep working when the table under a planned one changes', async () => {
    const on = database.connect({ maxConnections: 1 })
    await on.query('create table changing (a integer)')
    const read = () => on.query('select * from changing where a > $1', [0])
    await on.query('insert into changing values (1)')
    expect((await read()).rows).toEqual([{ a: 1 }])
    await on.query('alter table changing add column b integer default 2')
    await read().catch((error: unknown) => expect(error).toMatchObject({ code: '0A000' }))
    expect((await read()).rows).toEqual([{ a: 1, b: 2 }])
  })

  test('fail with a stack that leads to the one who waits', async () => {
    async function whoWaits() {
      await sql.query('select 1/0')
    }
    const error: unknown = await whoWaits().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Error)
    expect(error instanceof Error ? error.stack : '').toContain('whoWaits')
  })
})

describe('sessions', () => {
  test('keep locks from each other until they end', async () => {
    const inside = gate()
    const leave = gate()
    const first = sql.session(async (session) => {
      expect(await session.locks.take(7, [1, 2])).toEqual([1, 2])
      await session.locks.release(7, [2])
      inside.open()
      await leave.opened
    })
    await inside.opened
    await sql.session(async (session) => {
      expect(await session.locks.take(7, [1, 2, 3])).toEqual([2, 3])
      expect(await session.locks.take(8, [1])).toEqual([1])
    })
    leave.open()
    await first
    await sql.session(async (session) => {
      await eventually(async () => expect(await session.locks.take(7, [1])).toEqual([1]))
    })
  })

  test('count the members of a space, also one whose number is beyond the signed range', async () => {
    const space = 3_000_000_000
    await sql.session(async (first) => {
      await first.locks.join(space)
      expect(await first.locks.members(space)).toBe(1)
      await sql.session(async (second) => {
        await second.locks.join(space)
        expect(await first.locks.members(space)).toBe(2)
        expect(await first.locks.members(7)).toBe(0)
      })
      await eventually(async () => expect(await first.locks.members(space)).toBe(1))
    })
  })

  test('tell when they are lost, and by a lease the server ends one that is idle', async () => {
    const lost = gate()
    const work = sql.session(
      async (session) => {
        session.lost.addEventListener('abort', () => lost.open())
        await lost.opened
        await session.query('select 1')
      },
      { leaseMs: 50 },
    )
    await expect(work).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
  })

  test('leave no settings on connections that others get', async () => {
    const on = database.connect({ maxConnections: 1 })
    await on.session(async (session) => void (await session.query('select 1')), { leaseMs: 5000 })
    const { rows } = await on.query(`select current_setting('idle_session_timeout') as timeout`)
    expect(rows).toEqual([{ timeout: '0' }])
  })
})

test('a pool of one’s own stays open', async () => {
  const pool = new Pool({ connectionString: database.url })
  const on = createPostgres({ pool })
  await on.query('select 1')
  await on.close()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
  expect(() => createPostgres({ pool, connectionString: database.url })).toThrow(/not both/)
})

test.each([true, false])(
  'a connection that lost its plans still runs transactions as such (pipeline: %s)',
  async (pipeline) => {
    await clear()
    const pool = new Pool({ connectionString: database.url, max: 1, pipeline })
    const on = createPostgres({ pool, logger: silentLogger })
    await on.transaction((tx) => tx.query('insert into notes values ($1)', [1]))
    await pool.query('discard all')
    const failed = on.transaction(async (tx) => {
      await tx.query('insert into notes values (2)')
      throw new Error('rolled back')
    })
    await expect(failed).rejects.toThrow('rolled back')
    await on.transaction((tx) => tx.query('insert into notes values (3)'))
    expect(await notes()).toEqual([1, 3])
    await on.close()
    await pool.end()
  },
)

test('a pg client of one’s own serves as a transaction only while it has one open', async () => {
  const { transactionOf } = await import('./index.ts')
  const client = new Client({ connectionString: database.url })
  await client.connect()
  expect(() => transactionOf(client)).toThrow(/no transaction open; await client\.query\("BEGIN"\)/)
  await client.query('BEGIN')
  const tx = transactionOf(client)
  expect((await tx.query('select $1::int4 as one', [1])).rows).toEqual([{ one: 1 }])
  await client.query('select 1/0').catch(() => {})
  // The server's word about the transaction comes right behind the error.
  await eventually(() => expect(client.getTransactionStatus()).toBe('E'))
  expect(() => transactionOf(client)).toThrow(/has failed; roll it back/)
  await client.query('ROLLBACK')
  await expect(tx.query('select 1')).rejects.toMatchObject({ code: 'EVT_NOT_A_TRANSACTION' })
  await client.end()
  const pool = new Pool({ connectionString: database.url })
  // A pool has no transaction; JavaScript may pass one all the same.
  expect(() => transactionOf(pool as unknown as Client)).toThrow(/a pool has no transaction/)
  await pool.end()
})

test('a session whose server falls silent is given up after its lease', async () => {
  const on = database.connect({ logger: silentLogger })
  const work = on.session(
    async (session) => {
      // The server sleeps on, as one behind a cable that was pulled: no answer and no closed connection.
      await session.query('select pg_sleep(600)')
    },
    { leaseMs: 200 },
  )
  await expect(work).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
})

test('a value that cannot be sent fails its statement alone, and the connection goes on', async () => {
  const on = database.connect({ maxConnections: 1 })
  const circular: Record<string, unknown> = {}
  circular.self = circular
  await expect(on.query('select $1::jsonb', [circular])).rejects.toThrow(/circular/i)
  const work = on.transaction(async (tx) => {
    await tx.enqueue('select $1::text', ['fine'])
    await tx.query('select $1::jsonb', [circular])
  })
  await expect(work).rejects.toThrow(/circular/i)
  expect((await on.query('select $1::int4 as one', [1])).rows).toEqual([{ one: 1 }])
})

test('a statement that failed to be planned, or failed after it was, works when it is right the next time', async () => {
  const on = database.connect({ maxConnections: 1 })
  const missing = 'select * from not_there_yet where id = $1'
  await expect(on.query(missing, [1])).rejects.toMatchObject({ code: '42P01' })
  await on.query('create table not_there_yet (id integer)')
  expect((await on.query(missing, [1])).rows).toEqual([])
  const divide = 'select 1 / $1::int4 as result'
  await expect(on.query(divide, [0])).rejects.toMatchObject({ code: '22012' })
  expect((await on.query(divide, [1])).rows).toEqual([{ result: 1 }])
  const both = on.transaction(async (tx) => {
    await tx.enqueue('select 1 / $1::int4', [0])
    await tx.query('select $1::text as never_planned', ['x'])
  })
  await expect(both).rejects.toMatchObject({ code: '22012' })
  expect((await on.query('select $1::text as never_planned', ['x'])).rows).toEqual([{ never_planned: 'x' }])
})

test('texts without values mix with statements that have them, in order', async () => {
  await clear()
  await sql.transaction(async (tx) => {
    await tx.enqueue('insert into notes values ($1)', [1])
    await tx.enqueue('insert into notes values (2)')
    await tx.enqueue('insert into notes values ($1)', [3])
    expect((await tx.query('select count(*)::int4 as n from notes')).rows).toEqual([{ n: 3 }])
    await tx.enqueue('insert into notes values (4); insert into notes values (5)')
  })
  expect(await notes()).toEqual([1, 2, 3, 4, 5])
})

test('a server that accepts and says nothing is given up after the timeout for connecting', async () => {
  const silent = createServer((socket) => void socket.resume())
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const on = createPostgres({ connectionString: `postgres://me@127.0.0.1:${port}/orders`, connectTimeoutMs: 100 })
  await expect(on.query('select 1')).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
  await on.close()
  await new Promise((resolve) => silent.close(resolve))
})
