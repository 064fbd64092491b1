import { PGlite } from '@electric-sql/pglite'
import { migrate, type Sql } from '@evtkit/sdk/postgres'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import type { FailedEventsHost, FailedEventsMember } from '../core/failed-events.ts'
import { createParking, deadLetterMigrations, type ParkingOptions } from './index.ts'
import { event, failed, failure, handled, parkingHost } from './testing/parking-host.ts'

const server = await freshDatabase()

const databases: readonly (readonly [name: string, open: () => Promise<Sql>])[] = [
  ['PostgreSQL', async () => server.connect()],
  [
    'PGlite',
    async () => {
      const database = await PGlite.create()
      afterAll(() => database.close())
      return createPglite(database, { schema: 'shipping' })
    },
  ],
]

const fast = { retry: { initialMs: 20, maxMs: 50 }, pollMs: 50, random: () => 0 } as const

describe.each(databases)('parking on %s', (_, open) => {
  let sql: Sql
  const members: FailedEventsMember[] = []
  beforeAll(async () => {
    sql = await open()
    await migrate(sql, [deadLetterMigrations])
  }, 60_000)
  beforeEach(async () => {
    await sql.query('truncate evtkit_failed_events, evtkit_waiting_keys, evtkit_parking_groups cascade')
  })
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.close(5000)))
  })

  const join = async (host: FailedEventsHost, options: Partial<ParkingOptions> = {}) => {
    const parking = createParking({ sql, ...fast, ...options })
    const member = parking.join(host)
    members.push(member)
    await member.assigned('orders', 0)
    return { parking, member }
  }

  test('a failed event is tried again; what follows on its key waits behind it and is handled in order', async () => {
    let ready = false
    const host = parkingHost(() => (ready ? handled : failure('still out of stock')))
    const { parking, member } = await join(host)
    expect(member.isBehind(event(1, 'a'))).toBe(false)
    expect(await member.take(failed(event(1, 'a')))).toBe('taken')
    for (const offset of [2, 5, 7]) {
      expect(member.isBehind(event(offset, 'a'))).toBe(true)
      expect(member.isBehind(event(offset, 'b'))).toBe(false)
      expect(await member.follow(event(offset, 'a'))).toBe('taken')
    }
    expect(await parking.stats('shipping')).toMatchObject({ parkedKeys: 1, parkedEvents: 4, stoppedKeys: 0 })
    await eventually(() => expect(host.seen.length).toBeGreaterThan(2))
    expect(new Set(host.seen)).toEqual(new Set([1n]))
    ready = true
    await eventually(() => expect(member.isBehind(event(8, 'a'))).toBe(false))
    expect(host.seen.filter((offset) => offset !== 1n)).toEqual([2n, 5n, 7n])
    expect(await member.follow(event(8, 'a'))).toBe('free')
    expect((await sql.query('select 1 from evtkit_failed_events')).rowCount).toBe(0)
    expect((await sql.query('select 1 from evtkit_waiting_keys')).rowCount).toBe(0)
  })

  test('an attempt hands over the record as it came, with the attempts counted on', async () => {
    const original = event(1, Buffer.from([0, 255, 1]), { attempt: 5 })
    const deliveries: unknown[] = []
    const host = parkingHost((delivery) => {
      deliveries.push(delivery)
      return deliveries.length < 2 ? failure('again') : handled
    })
    const { member } = await join(host)
    await member.take(failed(original))
    await eventually(() => expect(deliveries.length).toBe(2))
    expect(deliveries).toEqual([
      { ...original, attempt: 6 },
      { ...original, attempt: 7 },
    ])
  })

  test('an event that is given up stops its key: its successors stay parked', async () => {
    const host = parkingHost(({ offset }) => (offset === 1n ? failure('never') : handled))
    const { parking, member } = await join(host, { retry: { ...fast.retry, attempts: 3 } })
    await member.take(failed(event(1, 'a')))
    await member.follow(event(2, 'a'))
    await eventually(async () =>
      expect(await parking.stats('shipping')).toMatchObject({ stoppedKeys: 1, deadLetters: 1, parkedEvents: 1 }),
    )
    expect(host.seen).toEqual([1n, 1n, 1n])
    expect(await member.follow(event(3, 'a'))).toBe('taken')
  })

  test('an event that is given up and skipped lets its successors go on', async () => {
    const host = parkingHost(({ offset }) => (offset === 1n ? failure('never', { afterGivingUp: 'skip' }) : handled))
    const { parking, member } = await join(host, { retry: { ...fast.retry, attempts: 1 } })
    await member.take(failed(event(1, 'a'), { afterGivingUp: 'skip' }))
    await member.follow(event(2, 'a'))
    await eventually(() => expect(host.seen).toEqual([1n, 2n]))
    await eventually(async () =>
      expect(await parking.stats('shipping')).toEqual({
        parkedKeys: 0,
        parkedEvents: 0,
        oldestMs: 0,
        deadLetters: 1,
        stoppedKeys: 0,
      }),
    )
  })

  test('an attempt that is final is the last one, and one past maxAgeMs as well', async () => {
    const host = parkingHost(({ offset }) => failure('never', { final: offset === 1n, afterGivingUp: 'skip' }))
    const { parking, member } = await join(host, { retry: { ...fast.retry, maxAgeMs: 1 } })
    await member.take(failed(event(1, 'a')))
    await member.take(failed(event(2, 'b')))
    await eventually(async () => expect((await parking.stats('shipping')).deadLetters).toBe(2))
    expect(host.seen.toSorted()).toEqual([1n, 2n])
  })

  test('an attempt that was postponed counts for nothing', async () => {
    const attempts: number[] = []
    const host = parkingHost(({ attempt }) => {
      attempts.push(attempt)
      return attempts.length < 4 ? { result: 'postponed', retryInMs: 1 } : handled
    })
    const { member } = await join(host, { retry: { ...fast.retry, attempts: 1 } })
    await member.take(failed(event(1, 'a')))
    await eventually(() => expect(attempts).toEqual([2, 2, 2, 2]))
  })

  test('a final failure is a dead letter at once, and stops or skips its key', async () => {
    const host = parkingHost(() => handled)
    const { parking, member } = await join(host)
    await member.take(failed(event(1, 'stops'), { final: true }))
    await member.take(failed(event(2, 'goes on'), { final: true, afterGivingUp: 'skip' }))
    await member.take(failed(event(3, null), { final: true }))
    expect(member.isBehind(event(4, 'stops'))).toBe(true)
    expect(member.isBehind(event(4, 'goes on'))).toBe(false)
    expect(await parking.stats('shipping')).toMatchObject({ parkedKeys: 1, stoppedKeys: 1, deadLetters: 3 })
    expect(host.seen).toEqual([])
  })

  test('an event without a key is parked alone, and nothing waits behind it', async () => {
    const host = parkingHost(({ attempt }) => (attempt < 4 ? failure('not yet') : handled))
    const { parking, member } = await join(host)
    await member.take(failed(event(1, null)))
    await member.take(failed(event(2, null)))
    expect(member.isBehind(event(3, null))).toBe(false)
    expect(await member.follow(event(3, null))).toBe('free')
    await eventually(async () => expect((await parking.stats('shipping')).parkedKeys).toBe(0))
  })

  test('the same event taken twice is one row, and keeps its place', async () => {
    const host = parkingHost(() => ({ result: 'postponed', retryInMs: 60_000 }))
    const { parking, member } = await join(host)
    await member.take(failed(event(1, 'a')))
    await member.follow(event(2, 'a'))
    // As after a crash before the offset was committed: the next owner knows that the key waits.
    const next = await join(host)
    expect(next.member.isBehind(event(1, 'a'))).toBe(true)
    for (const offset of [1, 2, 3]) expect(await next.member.follow(event(offset, 'a'))).toBe('taken')
    expect(await parking.stats('shipping')).toMatchObject({ parkedEvents: 3 })
    const { rows } = await sql.query('select record_offset, times_seen from evtkit_failed_events order by position')
    expect(rows.map((row) => [String(row.record_offset), row.times_seen])).toEqual([
      ['1', 2],
      ['2', 2],
      ['3', 1],
    ])
  })

  test('another record at the same place, as in a topic made anew, is another row', async () => {
    const host = parkingHost(() => ({ result: 'postponed', retryInMs: 60_000 }))
    const { parking, member } = await join(host)
    await member.take(failed(event(1, 'a')))
    const anew = event(1, 'a')
    await member.follow({ ...anew, message: { ...anew.message, value: Buffer.from('another') } })
    expect(await parking.stats('shipping')).toMatchObject({ parkedKeys: 1, parkedEvents: 2 })
  })

  test('a limit per key holds the delivery back until the queue is shorter', async () => {
    let ready = false
    const host = parkingHost(() => (ready ? handled : { result: 'postponed', retryInMs: 20 }))
    const { member } = await join(host, { limits: { maxPerKey: 3 } })
    await member.take(failed(event(1, 'a')))
    expect(await member.follow(event(2, 'a'))).toBe('taken')
    expect(await member.follow(event(3, 'a'))).toBe('taken')
    expect(await member.follow(event(4, 'a'))).toBe('full')
    expect(await member.take(failed(event(5, 'b')))).toBe('taken')
    ready = true
    await eventually(async () => expect(await member.follow(event(4, 'a'))).not.toBe('full'))
  })

  test('a limit for the group holds everything back that would be added', async () => {
    let ready = false
    const host = parkingHost(() => (ready ? handled : { result: 'postponed', retryInMs: 20 }))
    const { member } = await join(host, { limits: { maxTotal: 2 } })
    await member.take(failed(event(1, 'a')))
    await member.take(failed(event(2, 'b')))
    expect(await member.take(failed(event(3, 'c')))).toBe('full')
    expect(await member.follow(event(4, 'a'))).toBe('full')
    ready = true
    await eventually(async () => expect(await member.take(failed(event(3, 'c')))).toBe('taken'))
  })

  test('a key that fails does not keep the others from being tried', async () => {
    const host = parkingHost(({ message }) => (String(message.key) === 'bad' ? failure('never') : handled))
    const { parking, member } = await join(host, { concurrency: 1 })
    await member.take(failed(event(1, 'bad')))
    for (let offset = 2; offset < 12; offset++) await member.take(failed(event(offset, `good-${offset}`)))
    await eventually(async () => expect((await parking.stats('shipping')).parkedKeys).toBe(1))
  })

  test('groups have their own queues, and an instance takes only what its topics are', async () => {
    const others = parkingHost(() => handled, { group: 'audit' })
    const blind = parkingHost(() => handled, { topics: ['payments'] })
    await join(others)
    await join(blind)
    const host = parkingHost(() => ({ result: 'postponed', retryInMs: 20 }))
    const { parking, member } = await join(host)
    await member.take(failed(event(1, 'a')))
    await eventually(() => expect(host.seen.length).toBeGreaterThan(3))
    expect([others.seen, blind.seen]).toEqual([[], []])
    expect(await parking.stats('audit')).toMatchObject({ parkedKeys: 0 })
  })

  test('what waits outlives its instance: the next one drains it, in order', async () => {
    const first = await join(parkingHost(() => ({ result: 'postponed', retryInMs: 20 })))
    await first.member.take(failed(event(1, 'a')))
    for (let offset = 2; offset < 30; offset++) await first.member.follow(event(offset, 'a'))
    await first.member.close(1000)
    const host = parkingHost(() => handled)
    const { member } = await join(host)
    expect(member.isBehind(event(30, 'a')) || host.seen.length > 0).toBe(true)
    await eventually(() => expect(host.seen.length).toBe(29))
    expect(host.seen).toEqual(Array.from({ length: 29 }, (_, i) => BigInt(i + 1)))
  })

  test('tables that are missing are named, and the event stays with its consumer', async () => {
    await sql.query('alter table evtkit_failed_events rename to elsewhere')
    try {
      const parking = createParking({ sql, ...fast })
      const member = parking.join(parkingHost(() => handled))
      members.push(member)
      await expect(member.assigned('orders', 0)).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED' })
      await expect(member.take(failed(event(1, 'a')))).rejects.toThrow(/deadLetterMigrations/)
      expect(member.isBehind(event(2, 'a'))).toBe(false)
    } finally {
      await sql.query('alter table elsewhere rename to evtkit_failed_events')
    }
  })
})
