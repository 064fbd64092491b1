import type { Envelope, Handler } from '@evtkit/sdk'
import { migrate, type Tx } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, textMessage } from '../../../../test/recording-sender.ts'
import { createInbox, inboxMigrations } from './index.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 30 })

interface Order {
  readonly sku: string
}
type OrderHandler = Handler<'OrderCreated', Order, { readonly tx: Tx }>

const idOf = (n: number) => `0192f3b0-7e6c-7c3a-9d2e-${String(n).padStart(12, '0')}`
const event = (n: number, eventId = idOf(n)): Envelope<'OrderCreated', Order> => ({
  eventId,
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: '2026-01-02T03:04:05.000Z',
  source: 'orders',
  correlationId: 'c',
  causationId: null,
  data: { sku: `sku-${n}` },
  metadata: {},
})
const context = (key: string, { signal = new AbortController().signal, attempt = 1 } = {}) => ({
  delivery: { message: textMessage(key, 'v'), partition: 0, offset: 0n, group: 'g', attempt, replay: null },
  group: 'g',
  signal,
})
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const write = (tx: Tx, what: string) =>
  tx.query('insert into effects (what, transaction) values ($1, pg_current_xact_id()::text)', [what])
const effects = async () => (await sql.query('select what, transaction from effects order by id')).rows
const named = async () => (await effects()).map((row) => row.what)

beforeAll(async () => {
  await migrate(sql, [inboxMigrations])
  await sql.query(`
    create table effects (id bigint generated always as identity, what text not null, transaction text not null);
    create table hot (name text primary key, hits integer not null)`)
})
beforeEach(async () => {
  await sql.query(
    `truncate evtkit_inbox, effects, hot; insert into hot select 'row-' || n, 0 from generate_series(0, 4) n`,
  )
})

test('events that arrive together share transactions, each with its effect', async () => {
  const inbox = createInbox({ sql })
  const once = inbox.once<'OrderCreated', Order>(async ({ data }, { tx }) => void (await write(tx, data.sku)))
  await Promise.all(numbers(200).map((n) => once(event(n), context(`key-${n}`))))
  const rows = await effects()
  expect(new Set(rows.map((row) => row.what)).size).toBe(200)
  expect(rows).toHaveLength(200)
  expect(new Set(rows.map((row) => row.transaction)).size).toBeLessThan(20)
  expect(inbox.stats()).toMatchObject({ handled: 200, duplicates: 0, groupsGivenUp: 0 })
})

test('events that come again together are recognised without a handler being called', async () => {
  const inbox = createInbox({ sql })
  let calls = 0
  const once = inbox.once(() => void calls++)
  const all = () => Promise.all(numbers(100).map((n) => once(event(n, idOf(n).toUpperCase()), context(`key-${n}`))))
  await all()
  await all()
  expect(calls).toBe(100)
  expect(inbox.stats()).toMatchObject({ handled: 100, duplicates: 100 })
})

test('one handler that fails fails alone', async () => {
  const inbox = createInbox({ sql })
  const once = inbox.once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    await write(tx, data.sku)
    if (data.sku === 'sku-3') throw new Error('this one is bad')
  })
  const outcomes = await Promise.allSettled(numbers(10).map((n) => once(event(n), context(`key-${n}`))))
  expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1)
  expect(outcomes[3]).toMatchObject({ reason: new Error('this one is bad') })
  expect((await named()).toSorted()).toEqual(
    numbers(10)
      .filter((n) => n !== 3)
      .map((n) => `sku-${n}`),
  )
  expect(inbox.stats()).toMatchObject({ handled: 9, groupsGivenUp: 1 })
})

test('one whose failed statement was caught fails alone', async () => {
  const once = createInbox({ sql }).once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    await write(tx, data.sku)
    if (data.sku === 'sku-1') await tx.query('select 1 / 0').catch(() => {})
  })
  const outcomes = await Promise.allSettled(numbers(4).map((n) => once(event(n), context(`key-${n}`))))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect((await named()).toSorted()).toEqual(['sku-0', 'sku-2', 'sku-3'])
})

test('events of one key never share a transaction, and keep their order', async () => {
  const once = createInbox({ sql }).once<'OrderCreated', Order>(
    async ({ data }, { tx }) => void (await write(tx, data.sku)),
  )
  await Promise.all([
    once(event(0), context('same')),
    once(event(1), context('other')),
    once(event(2), context('same')),
  ])
  const rows = await effects()
  const [first, second] = ['sku-0', 'sku-2'].map((sku) => rows.find((row) => row.what === sku)?.transaction)
  expect(first).not.toBe(second)
  expect((await named()).indexOf('sku-0')).toBeLessThan((await named()).indexOf('sku-2'))
})

test('a handler that says so has a transaction of its own, and so has an event that failed before', async () => {
  const inbox = createInbox({ sql })
  const handler: OrderHandler = async ({ data }, { tx }) => void (await write(tx, data.sku))
  const alone = inbox.once(handler, { alone: true })
  const shared = inbox.once(handler)
  await Promise.all(numbers(5).map((n) => alone(event(n), context(`key-${n}`))))
  await Promise.all(numbers(5).map((n) => shared(event(n + 5), context(`key-${n}`, { attempt: 2 }))))
  expect(new Set((await effects()).map((row) => row.transaction)).size).toBe(10)
})

test('a handler that uses savepoints undoes nothing but its own work', async () => {
  const inbox = createInbox({ sql })
  const careful = inbox.once<'OrderCreated', Order>(
    async ({ data }, { tx }) => {
      await tx.query('savepoint try')
      await write(tx, `${data.sku} undone`)
      await tx.query('rollback to savepoint try')
      await write(tx, data.sku)
    },
    { name: 'careful' },
  )
  const plain = inbox.once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    await write(tx, `${data.sku} plain`)
  })
  const round = (from: number) =>
    Promise.all([careful(event(from), context(`a-${from}`)), plain(event(from + 1), context(`b-${from}`))])
  await round(0)
  await round(2)
  expect((await named()).toSorted()).toEqual(['sku-0', 'sku-1 plain', 'sku-2', 'sku-3 plain'])
  // From then on the handler is known, and nobody's group is given up for it.
  expect(inbox.stats().groupsGivenUp).toBe(1)
})

test('one that is given up never commits, and the others do', async () => {
  const controller = new AbortController()
  const inside = gate()
  const stuck = gate()
  const once = createInbox({ sql }).once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    await write(tx, data.sku)
    if (data.sku !== 'sku-0') return
    inside.open()
    await stuck.opened
    await write(tx, 'late')
  })
  const hung = once(event(0), context('key-0', { signal: controller.signal }))
  const other = once(event(1), context('key-1'))
  await inside.opened
  controller.abort(new Error('the deadline passed'))
  await expect(hung).rejects.toThrow('the deadline passed')
  await other
  stuck.open()
  expect(await named()).toEqual(['sku-1'])
})

test('a group that meets a locked row is given up at once, and only who needs the row waits', async () => {
  const inbox = createInbox({ sql })
  const once = inbox.once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    if (data.sku === 'sku-0') await tx.query(`update hot set hits = hits + 1 where name = 'row-0'`)
    await write(tx, data.sku)
  })
  const held = gate()
  const locked = gate()
  const holder = sql.transaction(async (tx) => {
    await tx.query(`update hot set hits = 100 where name = 'row-0'`)
    locked.open()
    await held.opened
  })
  await locked.opened
  const waiting = once(event(0), context('key-0'))
  await Promise.all(numbers(5).map((n) => once(event(n + 1), context(`key-${n + 1}`))))
  expect(await named()).toHaveLength(5)
  held.open()
  await Promise.all([holder, waiting])
  expect((await sql.query(`select hits from hot where name = 'row-0'`)).rows).toEqual([{ hits: 101 }])
})

test('a handler that takes its time holds nobody up, not even those that share its transaction', async () => {
  const slow = gate()
  const once = createInbox({ sql }).once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    await write(tx, data.sku)
    if (data.sku === 'sku-0') await slow.opened
  })
  const first = once(event(0), context('key-0'))
  await once(event(1), context('key-1'))
  await once(event(2), context('key-2'))
  expect(await named()).toEqual(['sku-1', 'sku-2'])
  slow.open()
  await first
  expect(await named()).toContain('sku-0')
})

test('what was promised for the commit is done once, and never for a group that was given up', async () => {
  const committed: string[] = []
  const once = createInbox({ sql }).once<'OrderCreated', Order>(async ({ data }, { tx }) => {
    tx.onCommit(() => committed.push(data.sku))
    await write(tx, data.sku)
    if (data.sku === 'sku-1') throw new Error('bad')
  })
  await Promise.allSettled(numbers(3).map((n) => once(event(n), context(`key-${n}`))))
  expect(committed.toSorted()).toEqual(['sku-0', 'sku-2'])
})

test('two instances on the same hot rows apply everything once', async () => {
  const inboxes = [sql, database.connect({ maxConnections: 10 })].map((connection) => createInbox({ sql: connection }))
  let failures = 0
  const handler: OrderHandler = async ({ eventId }, { tx }) => {
    const n = Number(eventId.slice(-6))
    // In one order everywhere: handlers that lock in circles stand still by themselves, with a transaction each or without.
    const rows = [`row-${n % 5}`, `row-${(n * 3 + 1) % 5}`].toSorted()
    for (const row of rows) await tx.query('update hot set hits = hits + 1 where name = $1', [row])
    if (n % 17 === 0 && failures++ < 60) throw new Error('now and then')
  }
  const handlers = inboxes.map((inbox) => inbox.once(handler))
  const untilDone = async (n: number, copy: number): Promise<void> => {
    for (let attempt = 1; ; attempt++)
      try {
        // Every event comes twice, once to each instance.
        return await handlers[copy]?.(event(n), context(`key-${n}`, { attempt }))
      } catch {
        // It comes again, as it would from the log.
      }
  }
  await Promise.all(numbers(300).flatMap((n) => [untilDone(n, 0), untilDone(n, 1)]))
  const { rows } = await sql.query('select sum(hits)::int4 as hits from hot')
  expect(rows).toEqual([{ hits: 600 }])
  expect(inboxes.reduce((sum, inbox) => sum + inbox.stats().handled, 0)).toBe(300)
})
