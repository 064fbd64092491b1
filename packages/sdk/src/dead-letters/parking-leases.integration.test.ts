import { migrate } from '@evtkit/sdk/postgres'
import { createGate } from '@evtkit/sdk/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { systemClock } from '../core/clock.ts'
import type { FailedEventsHost, FailedEventsMember } from '../core/failed-events.ts'
import { createParking, deadLetterMigrations, type ParkingOptions } from './index.ts'
import { parkBehind } from './postgres-park.ts'
import { ParkedQueue } from './postgres-parked-queue.ts'
import { event, failed, failure, handled, parkingHost } from './testing/parking-host.ts'
import { seeded } from './testing/seeded.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 20 })
const members: FailedEventsMember[] = []

beforeAll(() => migrate(sql, [deadLetterMigrations]))
beforeEach(() => sql.query('truncate evtkit_failed_events, evtkit_waiting_keys cascade'))
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.close(5000)))
})

async function join(host: FailedEventsHost, options: Partial<ParkingOptions> = {}) {
  const retry = { initialMs: 10, maxMs: 30 }
  const member = createParking({ sql, retry, pollMs: 30, random: () => 0, ...options }).join(host)
  members.push(member)
  await member.assigned('orders', 0)
  return member
}

/** As time would do it. */
const expireLeases = () => sql.query('update evtkit_waiting_keys set due_at = now() where claim is not null')

const waiting = async () => (await sql.query('select 1 from evtkit_waiting_keys')).rowCount

describe('the claim on a waiting key', () => {
  test('is lost by an instance that freezes; awake again it changes nothing, and another has drained in order', async () => {
    const frozen = createGate()
    const first = parkingHost(async () => {
      await frozen.passed
      return handled
    })
    const member = await join(first)
    await member.take(failed(event(1, 'a')))
    for (const offset of [2, 3, 4]) await member.follow(event(offset, 'a'))
    await eventually(() => expect(first.seen).toEqual([1n]))
    const second = parkingHost(() => handled)
    await join(second)
    await expireLeases()
    await eventually(() => expect(second.seen).toEqual([1n, 2n, 3n, 4n]))
    await eventually(async () => expect(await waiting()).toBe(0))
    frozen.open()
    await members[0]?.close(5000)
    expect(first.seen).toEqual([1n])
  })

  test('is lost in vain when the other has it: a failure that comes too late counts for nothing', async () => {
    const frozen = createGate()
    const first = parkingHost(async () => {
      await frozen.passed
      return failure('too late', { final: true })
    })
    await (await join(first)).take(failed(event(1, 'a')))
    await eventually(() => expect(first.seen).toEqual([1n]))
    const second = parkingHost(() => ({ result: 'postponed', retryInMs: 60_000 }))
    await join(second)
    await expireLeases()
    await eventually(() => expect(second.seen.length).toBe(1))
    frozen.open()
    await members[0]?.close(5000)
    const { rows } = await sql.query('select state, attempt_count from evtkit_failed_events')
    expect(rows).toEqual([{ state: 'parked', attempt_count: 1 }])
  })

  test('does not run out while an attempt waits for its turn, however long', async () => {
    const gate = createGate()
    // Time that passes a hundred times as fast for the instance, so that its lease of five seconds is renewed at once.
    const clock = { ...systemClock, after: (ms: number, call: () => void) => systemClock.after(ms / 100, call) }
    const host = parkingHost(
      async () => {
        await gate.passed
        return handled
      },
      { clock, deadlineMs: 1 },
    )
    await (await join(host)).take(failed(event(1, 'a')))
    await eventually(() => expect(host.seen).toEqual([1n]))
    const due = async () => (await sql.query('select due_at from evtkit_waiting_keys')).rows[0]?.due_at
    const before = await due()
    await eventually(async () => expect(await due()).not.toEqual(before))
    gate.open()
    await eventually(async () => expect(await waiting()).toBe(0))
    expect(host.seen).toEqual([1n])
  })

  test('goes by the clock of the database: an instance whose clock jumps by days takes and loses nothing', async () => {
    const random = seeded(7)
    const clock = { ...systemClock, now: () => Date.now() + Math.round((random() - 0.5) * 4 * 86_400_000) }
    const gate = createGate()
    const steady = parkingHost(async ({ offset }) => {
      if (offset === 1n) await gate.passed
      return handled
    })
    const member = await join(steady)
    await member.take(failed(event(1, 'a')))
    await member.follow(event(2, 'a'))
    await eventually(() => expect(steady.seen).toEqual([1n]))
    const jumping = parkingHost(() => handled, { clock })
    const jumper = await join(jumping)
    await jumper.take(failed(event(3, 'b')))
    await eventually(() => expect([...steady.seen, ...jumping.seen]).toContain(3n))
    gate.open()
    await eventually(async () => expect(await waiting()).toBe(0))
    // Each once: no lease seemed to have run out.
    expect([...steady.seen, ...jumping.seen].toSorted()).toEqual([1n, 2n, 3n])
    expect(steady.seen[0]).toBe(1n)
  })

  test('is given back by an instance that closes, so that the next one need not wait for it', async () => {
    const first = parkingHost(() => ({ result: 'postponed', retryInMs: 20 }))
    const member = await join(first)
    await member.take(failed(event(1, 'a')))
    await eventually(() => expect(first.seen.length).toBeGreaterThan(1))
    await member.close(5000)
    expect((await sql.query('select claim from evtkit_waiting_keys')).rows).toEqual([{ claim: null }])
  })
})

test('an event that is appended while its key is being reopened is either drained or told that it is free', async () => {
  const queue = new ParkedQueue(sql, { group: 'shipping', topics: ['orders'], leaseMs: 60_000 })
  const host = parkingHost(() => ({ result: 'postponed', retryInMs: 60_000 }))
  for (let round = 0; round < 40; round++) {
    const member = createParking({ sql, retry: { initialMs: 1 }, pollMs: 60_000 }).join({ ...host, topics: ['none'] })
    await member.take(failed(event(1, 'a')))
    await member.close(1000)
    await sql.query("update evtkit_waiting_keys set due_at = now() - interval '1 second'")
    const [key] = (await queue.claim(1, [])).keys
    if (key === undefined) throw new Error('the key was not claimed')
    const { head } = await queue.head(key)
    if (head === undefined) throw new Error('the key has no head')
    await queue.handled(key, head)
    const [reopened, ...appended] = await Promise.all([
      queue.reopen(key),
      ...[2, 3, 4, 5].map((offset) => parkBehind(sql, event(offset, 'a'))),
    ])
    const { rows } = await sql.query('select record_offset from evtkit_failed_events order by record_offset')
    expect(rows.length).toBe(appended.filter((id) => id !== undefined).length)
    expect(reopened).toBe(rows.length === 0)
    expect(await waiting()).toBe(reopened ? 0 : 1)
    await sql.query('truncate evtkit_failed_events, evtkit_waiting_keys cascade')
  }
})
