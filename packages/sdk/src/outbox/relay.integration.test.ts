import {
  BrokerUnavailableError,
  CloseDeadlineError,
  InvalidConfigurationError,
  SchemaNotMigratedError,
  silentLogger,
} from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres, migrate } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, createRelay, outboxMigrations, outboxSetAside, type Relay, type RelayOptions } from './index.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 20 })
const outbox = createOutbox()

const send = (...messages: readonly (readonly [string | null, string])[]) =>
  sql.transaction((tx) => outbox.in(tx).send(messages.map(([key, value]) => textMessage(key, value))))

const depth = async () => Number((await sql.query('select count(*) as n from evtkit_outbox')).rows[0]?.n)

const quick = { balanceMs: 50, backoff: { initialMs: 20, maxMs: 100 }, logger: silentLogger } as const

async function withRelay<T>(options: Omit<RelayOptions, 'sql'>, work: (relay: Relay) => Promise<T>): Promise<T> {
  const relay = createRelay({ sql, outbox, ...quick, ...options })
  await relay.start()
  try {
    return await work(relay)
  } finally {
    await relay.close()
  }
}

test('a relay refuses to start without tables, naming the call that helps', async () => {
  const relay = createRelay({ sql, sender: new RecordingSender(), ...quick })
  await expect(relay.start()).rejects.toThrow(SchemaNotMigratedError)
  expect(relay.health().ready).toBe(false)
  await relay.close()
})

describe('a relay', () => {
  beforeAll(async () => {
    await migrate(sql, [outboxMigrations])
  })
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
  })

  test('sends what was committed, byte for byte, and removes it', async () => {
    const sender = new RecordingSender()
    const message = {
      topic: 'orders',
      key: Buffer.from([0, 255, 1]),
      value: Buffer.from([0, 1, 2, 254, 255]),
      headers: [
        ['same', Buffer.from([0, 255])],
        ['same', Buffer.alloc(0)],
        ['ünïcode\0', Buffer.from('x')],
      ] as const,
      timestamp: 1_700_000_000_123,
    }
    const tombstone = { topic: 'orders', key: Buffer.from('k'), value: null, headers: [] }
    await sql.transaction((tx) => outbox.in(tx).send([message]))
    await sql.transaction((tx) => outbox.in(tx).send([message, tombstone]))
    await withRelay({ sender }, async (relay) => {
      await eventually(() => expect(sender.appended).toEqual([message, message, tombstone]))
      await eventually(async () => expect(await depth()).toBe(0))
      expect(relay.health()).toEqual({ ready: true, state: 'running', detail: '' })
      expect(await relay.stats()).toEqual({ relayed: 3, depth: 0, oldestWaitingMs: 0, setAside: 0, buckets: 16 })
    })
  })

  test('works off a large backlog in order per key, each row once', async () => {
    for (let i = 0; i < 10; i++)
      await send(...Array.from({ length: 500 }, (_, n) => [`k${n % 7}`, String(i * 500 + n)] as const))
    const sender = new RecordingSender()
    await withRelay({ sender, batchSize: 100 }, async () => {
      await eventually(() => expect(sender.appended.length).toBe(5000))
    })
    expect(await depth()).toBe(0)
    for (let k = 0; k < 7; k++) {
      const sent = sender.values(`k${k}`).map(Number)
      expect(sent).toEqual([...sent].sort((a, b) => a - b))
    }
    expect(new Set(sender.values()).size).toBe(5000)
  })

  test('that cannot reach the broker keeps everything, sets nothing aside, and goes on by itself', async () => {
    const sender = new RecordingSender()
    const down = new BrokerUnavailableError('no broker')
    sender.refuse = () => down
    await send(['a', '1'], ['b', '2'], ['a', '3'])
    const lines: string[] = []
    const logger = { ...silentLogger, warn: (_: object, line: string) => void lines.push(line) }
    await withRelay({ sender, logger }, async (relay) => {
      await eventually(() => expect(sender.batches.length).toBeGreaterThanOrEqual(4))
      expect(relay.health()).toMatchObject({
        ready: false,
        state: 'unavailable',
        detail: expect.stringContaining('no broker'),
      })
      expect(lines.length).toBeGreaterThanOrEqual(3)
      expect(await outboxSetAside(sql).list()).toEqual([])
      expect(await depth()).toBe(3)
      sender.refuse = () => undefined
      await eventually(() => expect([sender.values('a'), sender.values('b')]).toEqual([['1', '3'], ['2']]))
      await eventually(() => expect(relay.health().ready).toBe(true))
    })
    const [first = []] = sender.batches
    for (const message of sender.batches.flat()) expect(first).toContainEqual(message)
  })

  test('after a partial send removes the acknowledged prefix of each key only, and sends the rest again in order', async () => {
    const sender = new RecordingSender()
    let refused = false
    sender.refuse = (message) => {
      if (String(message.value) !== 'a2' || refused) return undefined
      refused = true
      return new BrokerUnavailableError('this one not')
    }
    await send(['a', 'a1'], ['b', 'b1'], ['a', 'a2'], ['b', 'b2'], ['a', 'a3'])
    await withRelay({ sender }, async () => {
      await eventually(async () => expect(await depth()).toBe(0))
    })
    expect(sender.values('b')).toEqual(['b1', 'b2'])
    // a3 was appended with the first attempt; it comes again behind a2, with the same bytes.
    expect(sender.values('a')).toEqual(['a1', 'a3', 'a2', 'a3'])
    expect(sender.batches.map((batch) => batch.length)).toEqual([5, 2])
  })

  test('lets other keys flow while one key is refused, and keeps that key in order', async () => {
    const sender = new RecordingSender()
    let broken = true
    sender.refuse = (message) =>
      broken && message.key?.toString() === 'a'
        ? new BrokerUnavailableError('leader of that partition is down')
        : undefined
    await send(['a', 'a1'], ['b', 'b1'], ['a', 'a2'], ['c', 'c1'])
    await withRelay({ sender }, async (relay) => {
      await eventually(() => expect(sender.values()).toEqual(['b1', 'c1']))
      await send(['a', 'a3'], ['b', 'b2'])
      await eventually(() => expect(sender.values()).toEqual(['b1', 'c1', 'b2']))
      expect(relay.health().ready).toBe(false)
      broken = false
      await eventually(() => expect(sender.values('a')).toEqual(['a1', 'a2', 'a3']))
    })
  })

  test('never lets rows that were claimed ahead pass a failed one of their key', async () => {
    const sender = new RecordingSender()
    // Claims of 4: the second claim, made while the first batch is under way, holds only rows of the failing key.
    await send(...Array.from({ length: 12 }, (_, i) => [i % 4 === 0 ? 'b' : 'a', String(i)] as const))
    let failures = 2
    sender.refuse = (message) =>
      message.key?.toString() === 'a' && String(message.value) === '1' && failures-- > 0
        ? new BrokerUnavailableError('not yet')
        : undefined
    sender.stopsKey = true
    await withRelay({ sender, batchSize: 4 }, async () => {
      await eventually(async () => expect(await depth()).toBe(0))
    })
    expect(failures).toBeLessThan(1)
    expect(sender.values('a')).toEqual(['1', '2', '3', '5', '6', '7', '9', '10', '11'])
    expect(sender.values('b')).toEqual(['0', '4', '8'])
  })

  test('closing waits for the send under way and removes what it acknowledged', async () => {
    const sender = new RecordingSender()
    const answered = gate()
    sender.after = () => answered.opened
    await send(['a', '1'])
    const relay = createRelay({ sql, sender, outbox, ...quick })
    await relay.start()
    await eventually(() => expect(sender.batches.length).toBe(1))
    const closed = relay.close()
    answered.open()
    await closed
    expect(await depth()).toBe(0)
    await expect(relay.start()).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  })

  test('closing gives up on a send that does not end, and says so; its rows stay', async () => {
    const sender = new RecordingSender()
    const never = gate()
    sender.before = () => never.opened
    await send(['a', '1'])
    const relay = createRelay({ sql, sender, outbox, ...quick })
    await relay.start()
    await eventually(() => expect(sender.batches.length).toBe(1))
    await expect(relay.close(50)).rejects.toThrow(CloseDeadlineError)
    expect(await depth()).toBe(1)
    const successor = new RecordingSender()
    await withRelay({ sender: successor }, async () => {
      await eventually(() => expect(successor.values()).toEqual(['1']))
    })
    never.open()
  })

  test('looks again at once when a transaction of its process commits', async () => {
    const sender = new RecordingSender()
    await withRelay({ sender, busyPollMs: 20_000, idlePollMs: 20_000, balanceMs: 20_000 }, async (relay) => {
      await eventually(() => expect(relay.health().ready).toBe(true))
      await send(['a', '1'])
      await eventually(() => expect(sender.values()).toEqual(['1']))
    })
  })

  test('finds rows of other processes by polling', async () => {
    const sender = new RecordingSender()
    await withRelay({ sender, outbox: createOutbox() }, async () => {
      await send(['a', '1'])
      await eventually(() => expect(sender.values()).toEqual(['1']))
    })
  })

  test('waits for a database that is not there yet, and goes on when it is', async () => {
    const name = `late_${process.pid}_${Date.now()}`
    const url = new URL(database.url)
    url.pathname = `/${name}`
    const late = createPostgres({ connectionString: url.href })
    const sender = new RecordingSender()
    const relay = createRelay({ sql: late, sender, ...quick })
    try {
      await relay.start()
      await eventually(() => expect(relay.health()).toMatchObject({ ready: false, state: 'unavailable' }))
      await sql.query(`create database ${name}`)
      await migrate(late, [outboxMigrations])
      await late.transaction((tx) => outbox.in(tx).send([textMessage('a', '1')]))
      await eventually(() => expect(sender.values()).toEqual(['1']))
      expect(relay.health().ready).toBe(true)
    } finally {
      await relay.close()
      await late.close()
      await sql.query(`drop database if exists ${name} with (force)`)
    }
  })

  test('sends in batches of so many bytes, a larger row alone, and holds no more than that', async () => {
    const sender = new RecordingSender()
    const sizes = [400, 400, 400, 5000, 100, 100, 900, 1]
    await send(...sizes.map((size, i) => [`k${i}`, 'x'.repeat(size)] as const))
    await withRelay({ sender, batchBytes: 1000 }, async () => {
      await eventually(async () => expect(await depth()).toBe(0))
    })
    expect(sender.batches.map((batch) => batch.map(({ value }) => value?.length))).toEqual([
      [400, 400],
      [400],
      [5000],
      [100, 100],
      [900, 1],
    ])
  })

  test('refuses to give a send less time than its sender may take', () => {
    const sender = Object.assign(new RecordingSender(), { sendTimeoutMs: 60_000 })
    expect(() => createRelay({ sql, sender, sendTimeoutMs: 59_000 })).toThrow(
      /sendTimeoutMs \(59000\) must not be shorter than what the sender may take for one send, 60000 ms/,
    )
    expect(() => createRelay({ sql, sender, leaseMs: 60_000 })).toThrow(
      /leaseMs \(60000\) must be longer than sendTimeoutMs/,
    )
    const kafka = createKafka({ brokers: ['127.0.0.1:1'], deliveryTimeoutMs: 20_000 })
    expect(() => createRelay({ sql, sender: kafka, sendTimeoutMs: 39_999 })).toThrow(InvalidConfigurationError)
    createRelay({ sql, sender: kafka, leaseMs: 40_001 })
  })

  test('refuses a lease that the sender could outlast', () => {
    const options = { sql, sender: new RecordingSender() }
    expect(() => createRelay({ ...options, sendTimeoutMs: 30_000, leaseMs: 30_000 })).toThrow(InvalidConfigurationError)
    expect(() => createRelay({ ...options, sendTimeoutMs: 10, leaseMs: 20 })).toThrow(
      /longer than the relay's own waits/,
    )
    expect(() => createRelay({ ...options, batchSize: 0 })).toThrow(/batchSize/)
  })
})
