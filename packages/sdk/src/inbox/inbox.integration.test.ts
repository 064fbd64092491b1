import { type Delivery, defineTopic, type Envelope, type Handler, silentLogger } from '@evtkit/sdk'
import { createOutbox, outboxMigrations } from '@evtkit/sdk/outbox'
import { migrate } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, textMessage } from '../../../../test/recording-sender.ts'
import { createInbox, inboxMigrations } from './index.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 30 })

const event = (eventId: string): Envelope<'OrderCreated', { sku: string }> => ({
  eventId,
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: '2026-01-02T03:04:05.000Z',
  source: 'orders',
  correlationId: 'c',
  causationId: null,
  data: { sku: 'sku' },
  metadata: {},
})
const context = (group = 'inventory', signal = new AbortController().signal) => {
  const delivery: Delivery = {
    message: textMessage('k', 'v'),
    partition: 0,
    offset: 0n,
    group,
    attempt: 1,
    replay: null,
  }
  return { delivery, group, signal }
}
const id = (n: number) => `0192f3b0-7e6c-7c3a-9d2e-${String(n).padStart(12, '0')}`
const effects = async () => Number((await sql.query('select count(*) as n from effects')).rows[0]?.n)
const noted = async () => Number((await sql.query('select count(*) as n from evtkit_inbox')).rows[0]?.n)

test('an inbox without its table is refused with the call that helps', async () => {
  const handler = createInbox({ sql }).once(() => {})
  await expect(handler(event(id(1)), context())).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED' })
  await expect(handler(event(id(1)), context())).rejects.toThrow(/migrate\(sql, \[inboxMigrations\]\)/)
})

describe('an event that comes again', () => {
  const inbox = createInbox({ sql })
  const outbox = createOutbox()
  const reserve: Handler<'OrderCreated', { sku: string }> = inbox.once<'OrderCreated', { sku: string }>(
    async ({ data }, { tx }) => {
      await tx.query('insert into effects (what) values ($1)', [data.sku])
      await outbox.in(tx).send([textMessage(data.sku, 'reserved')])
    },
  )

  beforeAll(async () => {
    await migrate(sql, [inboxMigrations, outboxMigrations])
    await sql.query('create table effects (id bigint generated always as identity, what text)')
  })
  beforeEach(async () => {
    await sql.query('truncate evtkit_inbox, evtkit_outbox, effects')
  })

  test('has its effect once, with everything it sent through the outbox', async () => {
    const duplicates: unknown[] = []
    const counting = createInbox({ sql, onDuplicate: (duplicate) => duplicates.push(duplicate) })
    const handler = vi.fn()
    const once = counting.once<'OrderCreated', { sku: string }>(async ({ data }, { tx }) => {
      handler()
      await tx.query('insert into effects (what) values ($1)', [data.sku])
      await outbox.in(tx).send([textMessage(data.sku, 'reserved')])
    })
    for (let i = 0; i < 3; i++) await once(event(id(1)), context())
    expect(handler).toHaveBeenCalledOnce()
    expect(await effects()).toBe(1)
    expect((await sql.query('select value from evtkit_outbox')).rows).toHaveLength(1)
    expect(counting.stats()).toMatchObject({ handled: 1, duplicates: 2 })
    const duplicate = { eventId: id(1), eventType: 'OrderCreated', group: 'inventory', handler: 'OrderCreated' }
    expect(duplicates).toEqual([duplicate, duplicate])
  })

  test('has an effect of its own in each group, and in each handler of another name', async () => {
    await reserve(event(id(1)), context('inventory'))
    await reserve(event(id(1)), context('analytics'))
    const named = inbox.once<'OrderCreated', { sku: string }>(
      async (_, { tx }) => void (await tx.query(`insert into effects (what) values ('named')`)),
      { name: 'second' },
    )
    await named(event(id(1)), context('inventory'))
    await named(event(id(1)), context('inventory'))
    expect(await effects()).toBe(3)
    expect(() => inbox.once(() => {}, { name: '' })).toThrow(/must not be empty/)
  })

  test('while its first copy is still being handled waits for that one to end', async () => {
    const inside = gate()
    const finish = gate()
    let calls = 0
    const slow = inbox.once(async (_, { tx }) => {
      calls++
      await tx.query(`insert into effects (what) values ('slow')`)
      inside.open()
      await finish.opened
    })
    const first = slow(event(id(1)), context())
    await inside.opened
    const second = slow(event(id(1)), context())
    await eventually(async () => {
      const { rows } = await sql.query(
        `select count(*)::int4 as n from pg_locks where not granted and locktype = 'transactionid'`,
      )
      expect(rows[0]?.n).toBe(1)
    })
    finish.open()
    await Promise.all([first, second])
    expect(calls).toBe(1)
    expect(await effects()).toBe(1)
  })

  test('is handled by the waiting copy when the first one fails', async () => {
    const inside = gate()
    const finish = gate()
    let calls = 0
    const flaky = inbox.once(async (_, { tx }) => {
      if (++calls === 1) {
        await tx.query(`insert into effects (what) values ('failing')`)
        inside.open()
        await finish.opened
        throw new Error('the first copy fails')
      }
      await tx.query(`insert into effects (what) values ('second')`)
    })
    const first = flaky(event(id(1)), context())
    await inside.opened
    const second = flaky(event(id(1)), context())
    finish.open()
    await expect(first).rejects.toThrow('the first copy fails')
    await second
    expect((await sql.query('select what from effects')).rows).toEqual([{ what: 'second' }])
  })

  test('many times at once in several processes has one effect', async () => {
    const processes = [sql, database.connect({ maxConnections: 10 })].map((connection) =>
      createInbox({ sql: connection }),
    )
    const copies = Array.from({ length: 40 }, (_, i) =>
      processes[i % 2]?.once(async (_event, { tx }) => {
        await tx.query(`insert into effects (what) values ('one')`)
      })(event(id(i % 4)), context()),
    )
    await Promise.all(copies)
    expect(await effects()).toBe(4)
    expect(processes.map((inbox) => inbox.stats().handled).reduce((sum, n) => sum + n)).toBe(4)
  })

  test('after its handler was given up is handled again, and the one given up can never commit', async () => {
    const controller = new AbortController()
    const inside = gate()
    const stuck = gate()
    let late: Promise<unknown> | undefined
    const handler = inbox.once(async (_, { tx, signal }) => {
      await tx.query(`insert into effects (what) values ('given up')`)
      inside.open()
      await stuck.opened
      expect(signal.aborted).toBe(true)
      late = tx.query(`insert into effects (what) values ('late')`)
      await late
    })
    const given = handler(event(id(1)), context('inventory', controller.signal))
    await inside.opened
    controller.abort(new Error('the deadline passed'))
    await expect(given).rejects.toThrow('the deadline passed')
    await reserve(event(id(1)), context())
    stuck.open()
    await eventually(() => expect(late).toBeDefined())
    await expect(late).rejects.toMatchObject({ code: 'EVT_NOT_A_TRANSACTION' })
    expect((await sql.query('select what from effects')).rows).toEqual([{ what: 'sku' }])
  })

  test.each([
    ['before it is noted', 0],
    ['after it is noted', 1],
    ['after the handler', 2],
  ])('is handled as if for the first time when everything is cut off %s', async (_, cutAt) => {
    const doomed = database.connect({ applicationName: 'doomed', logger: silentLogger })
    const cut = () =>
      sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doomed'`)
    const handler = createInbox({ sql: doomed }).once(async (_event, { tx }) => {
      if (cutAt === 1) await cut()
      await tx.query(`insert into effects (what) values ('cut off')`)
      if (cutAt === 2) await cut()
    })
    if (cutAt === 0) {
      await doomed.query('select 1')
      await cut()
    }
    const outcome = await Promise.allSettled([handler(event(id(1)), context())])
    if (cutAt > 0) {
      expect(outcome).toMatchObject([{ status: 'rejected', reason: { code: 'EVT_DATABASE_UNAVAILABLE' } }])
      expect(await effects()).toBe(0)
      expect(await noted()).toBe(0)
    }
    await reserve(event(id(1)), context())
    expect(await effects()).toBe(1)
  })

  test('after it was committed but nobody heard of it is a duplicate', async () => {
    await reserve(event(id(1)), context())
    const restarted = createInbox({ sql: database.connect() })
    const handler = vi.fn()
    await restarted.once(handler)(event(id(1)), context())
    expect(handler).not.toHaveBeenCalled()
    expect(restarted.stats()).toMatchObject({ handled: 0, duplicates: 1 })
  })

  test('with an id that is no uuid, or a strange one, is recognised too', async () => {
    for (const strange of ['order-1', 'with \0 nul', 'x'.repeat(100_000)]) {
      await reserve(event(strange), context())
      await reserve(event(strange), context())
    }
    expect(await effects()).toBe(3)
  })

  test('is forgotten after its time only', async () => {
    await reserve(event(id(1)), context())
    await reserve(event(id(2)), context())
    await sql.query(`update evtkit_inbox set handled_at = now() - interval '2 hours' where event_id = $1`, [id(1)])
    expect(await inbox.prune(3_600_000)).toBe(1)
    expect(await noted()).toBe(1)
    await reserve(event(id(2)), context())
    expect(await effects()).toBe(2)
  })
})

describe('the memory of an inbox', () => {
  const day = 24 * 3_600_000
  const weekly = defineTopic({ name: 'weekly', retentionMs: 7 * day })
  const forever = defineTopic({ name: 'forever', retentionMs: -1 })

  test('must not be shorter than the topics it reads', () => {
    expect(() => createInbox({ sql, retentionMs: 6 * day, topics: [weekly] })).toThrow(/topic "weekly" keeps records/)
    expect(() => createInbox({ sql, retentionMs: 6 * day, topics: [forever] })).toThrow(/for ever/)
    expect(() => createInbox({ sql, retentionMs: 0 })).toThrow(/more than 0/)
    createInbox({ sql, retentionMs: 7 * day, topics: [weekly] })
  })

  test('cannot be pruned below that either', async () => {
    const inbox = createInbox({ sql, retentionMs: 8 * day, topics: [weekly] })
    await expect(inbox.prune(day)).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
    await expect(inbox.prune()).resolves.toBe(0)
    await expect(createInbox({ sql }).prune()).rejects.toThrow(/needs an age/)
  })
})
