import { BrokerUnavailableError, silentLogger } from '@evtkit/sdk'
import { migrate } from '@evtkit/sdk/postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, createRelay, outboxMigrations, outboxSetAside, type Relay, type RelayOptions } from './index.ts'
import { PostgresRelaySessions } from './postgres-relay-session.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 20 })
const outbox = createOutbox()

const send = (...messages: readonly (readonly [string | null, string])[]) =>
  sql.transaction((tx) => outbox.in(tx).send(messages.map(([key, value]) => textMessage(key, value))))
const depth = async () => Number((await sql.query('select count(*) as n from evtkit_outbox')).rows[0]?.n)

const quick = { balanceMs: 50, backoff: { initialMs: 20, maxMs: 100 }, logger: silentLogger } as const
const started: Relay[] = []
const startRelay = async (options: Omit<RelayOptions, 'sql'>, applicationName = 'relay') => {
  const own = database.connect({ applicationName, logger: silentLogger })
  const relay = createRelay({ sql: own, ...quick, ...options })
  started.push(relay)
  await relay.start()
  return relay
}
// A failed test must not leave a relay that holds the share of the next one's.
afterEach(async () => {
  await Promise.allSettled(started.splice(0).map((relay) => relay.close(0)))
})
const buckets = async (relay: { stats(): Promise<{ buckets: number }> }) => (await relay.stats()).buckets

describe('several relays', () => {
  beforeAll(async () => {
    await migrate(sql, [outboxMigrations])
  })
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
  })

  test('share the work fairly, and again when one comes or goes', async () => {
    const sender = new RecordingSender()
    const first = await startRelay({ sender })
    await eventually(async () => expect(await buckets(first)).toBe(16))
    const second = await startRelay({ sender })
    await eventually(async () => expect([await buckets(first), await buckets(second)]).toEqual([8, 8]))
    const third = await startRelay({ sender })
    await eventually(async () => {
      const held = await Promise.all([first, second, third].map(buckets))
      expect(Math.max(...held)).toBeLessThanOrEqual(6)
      expect(held.reduce((sum, n) => sum + n)).toBe(16)
    })
    await first.close()
    await third.close()
    await eventually(async () => expect(await buckets(second)).toBe(16))
    await second.close()
  })

  test('send each row once and each key in order, though one of them is slow', async () => {
    const appended: string[] = []
    const slow = new RecordingSender()
    const fast = new RecordingSender()
    slow.before = () => new Promise((resolve) => setTimeout(resolve, 10))
    slow.after = (messages) => void appended.push(...messages.map((message) => String(message.value)))
    fast.after = slow.after
    const relays = await Promise.all([
      startRelay({ sender: slow, batchSize: 5 }),
      startRelay({ sender: fast, batchSize: 5 }),
    ])
    await eventually(async () => expect(await Promise.all(relays.map(buckets))).toEqual([8, 8]))
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    for (let i = 0; i < 50; i++) await send(...keys.map((key) => [key, `${key}${i}`] as const))
    await eventually(() => expect(appended.length).toBe(400))
    for (const key of keys)
      expect(appended.filter((value) => value.startsWith(key))).toEqual(
        Array.from({ length: 50 }, (_, i) => `${key}${i}`),
      )
    expect(slow.appended.length).toBeGreaterThan(0)
    expect(fast.appended.length).toBeGreaterThan(0)
    await Promise.all(relays.map((relay) => relay.close()))
  })

  test('do not start one another’s rows while a send is under way at a change of shares', async () => {
    const held = gate()
    const sender = new RecordingSender()
    sender.before = () => held.opened
    await send(...Array.from({ length: 32 }, (_, i) => [`k${i}`, String(i)] as const))
    const first = await startRelay({ sender })
    await eventually(() => expect(sender.batches.length).toBe(1))
    const other = new RecordingSender()
    const second = await startRelay({ sender: other })
    await eventually(() => expect(second.health().ready).toBe(true))
    expect(await buckets(second)).toBe(0)
    held.open()
    await eventually(async () => expect([await buckets(first), await buckets(second)]).toEqual([8, 8]))
    expect(sender.appended.length).toBe(32)
    expect(other.appended).toEqual([])
    await Promise.all([first.close(), second.close()])
  })
})

describe('a relay that loses its session', () => {
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
  })

  test('while a send is under way cannot remove anything; its successor repeats the same bytes and loses none', async () => {
    const held = gate()
    const sender = new RecordingSender()
    sender.after = () => held.opened
    await send(['a', '1'], ['a', '2'])
    const relay = await startRelay({ sender }, 'doomed-relay')
    await eventually(() => expect(sender.appended.length).toBe(2))
    await sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doomed-relay'`)
    const successor = new RecordingSender()
    const second = await startRelay({ sender: successor })
    await eventually(() => expect(successor.values()).toEqual(['1', '2']))
    expect(successor.appended).toEqual(sender.appended.slice(0, 2))
    held.open()
    await eventually(async () => expect(await depth()).toBe(0))
    await relay.close()
    await second.close()
  })

  test('goes on by itself with a new one', async () => {
    const sender = new RecordingSender()
    const relay = await startRelay({ sender }, 'cut-relay')
    for (let i = 0; i < 5; i++) {
      await sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut-relay'`)
      await send(['a', String(i)])
      await eventually(() => expect(new Set(sender.values()).size).toBe(i + 1))
    }
    await eventually(() => expect(relay.health().ready).toBe(true))
    await relay.close()
    expect([...new Set(sender.values())]).toEqual(['0', '1', '2', '3', '4'])
  })

  test('because it is frozen loses its share after the lease; awake again, it can remove nothing', async () => {
    await send(['a', '1'], ['a', '2'])
    const frozen = new PostgresRelaySessions(database.connect({ logger: silentLogger }), 300)
    const thaw = gate()
    const claimed = gate()
    const ended = frozen.open(async (session) => {
      await session.balance()
      const all = { limit: 10, maxBytes: 1_000_000, except: [], exceptKeys: [], exceptTopics: [] }
      const { rows } = await session.claim(all)
      claimed.open()
      // From here on nothing is heard of it, as of a process that was stopped between its send and the removal.
      await thaw.opened
      return session.remove(rows.map((row) => row.id))
    }, new AbortController().signal)
    ended.catch(() => {})
    await claimed.opened
    const sender = new RecordingSender()
    const relay = await startRelay({ sender })
    await eventually(() => expect(sender.values()).toEqual(['1', '2']))
    await send(['a', '3'])
    await eventually(() => expect(sender.values()).toEqual(['1', '2', '3']))
    thaw.open()
    await expect(ended).rejects.toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    await relay.close()
  })
})

describe('a relay that dies', () => {
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
  })

  test('in the middle of a partial send leaves what was not acknowledged; missing 0, repeated at most one batch', async () => {
    const all = Array.from({ length: 1000 }, (_, i) => [`k${i % 20}`, String(i)] as const)
    await send(...all)
    const sender = new RecordingSender()
    let taken = 0
    sender.refuse = () => (++taken > 400 ? new BrokerUnavailableError('gone in the middle') : undefined)
    const dying = await startRelay({ sender, batchSize: 1000 }, 'dying-relay')
    await eventually(() => expect(sender.batches.length).toBeGreaterThan(0))
    await sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dying-relay'`)
    await dying.close()
    const successor = new RecordingSender()
    const second = await startRelay({ sender: successor })
    await eventually(async () => expect(await depth()).toBe(0))
    await second.close()
    const sent = [...sender.values(), ...successor.values()]
    expect(new Set(sent).size).toBe(1000)
    expect(sent.length).toBeLessThanOrEqual(2000)
    for (let k = 0; k < 20; k++) {
      const sightings = [...new Set([...sender.values(`k${k}`), ...successor.values(`k${k}`)])].map(Number)
      expect(sightings).toEqual([...sightings].sort((a, b) => a - b))
    }
    expect(await outboxSetAside(sql).list()).toEqual([])
  })

  test('leaves nothing that idle restarts would send again', async () => {
    await send(['a', '1'])
    const first = new RecordingSender()
    const relay = await startRelay({ sender: first })
    await eventually(async () => expect(await depth()).toBe(0))
    await relay.close()
    const later = new RecordingSender()
    for (let i = 0; i < 3; i++) {
      const idle = await startRelay({ sender: later })
      await eventually(async () => expect(await buckets(idle)).toBe(16))
      await idle.close()
    }
    expect(first.values()).toEqual(['1'])
    expect(later.batches).toEqual([])
  })
})
