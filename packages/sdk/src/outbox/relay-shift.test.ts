import { describe, expect, test, vi } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { gate, RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import {
  BrokerRefusedError,
  BrokerUnavailableError,
  ClosedError,
  DatabaseUnavailableError,
  UnknownTopicError,
} from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { OutboxRelay } from './outbox-relay.ts'
import type { OutboxRow } from './outbox-row.ts'
import type { ClaimOptions, FailedRow, RelaySession, RelaySessions } from './relay-session.ts'

/** An outbox in memory, held by one session at a time. */
class FakeOutbox implements RelaySessions {
  rows: OutboxRow[] = []
  readonly aside: FailedRow[] = []
  readonly claims: ClaimOptions[] = []
  opened = 0
  failToOpen: Error | undefined
  /** Claims get no answer. */
  hangs = false
  lose = new AbortController()

  put(...pairs: readonly (readonly [number, string])[]): void {
    for (const [keyHash, value] of pairs)
      this.rows.push({ id: String(++this.#id), keyHash, message: textMessage(`k${keyHash}`, value) })
  }
  #id = 0

  async open<T>(work: (session: RelaySession) => Promise<T>): Promise<T> {
    if (this.failToOpen !== undefined) throw this.failToOpen
    this.opened++
    this.lose = new AbortController()
    return work({
      lost: this.lose.signal,
      shared: false,
      balance: async () => 16,
      sweep: async () => ({ rows: this.aside.length, waiting: 0, reason: this.aside[0]?.error.message ?? '' }),
      claim: async (options) => {
        this.claims.push(options)
        if (this.hangs) await new Promise(() => {})
        const found = this.rows
          .filter((row) => !options.except.includes(row.id) && !options.exceptKeys.includes(row.keyHash))
          .filter((row) => !options.exceptTopics.includes(row.message.topic))
        const rows = found.slice(0, options.limit)
        return { rows, more: rows.length === options.limit }
      },
      remove: async (ids) => {
        const before = this.rows.length
        this.rows = this.rows.filter((row) => !ids.includes(row.id))
        return before - this.rows.length
      },
      setAside: async (failed) => {
        this.aside.push(...failed)
        const keys = new Set(failed.map(({ row }) => row.keyHash))
        this.rows = this.rows.filter((row) => !keys.has(row.keyHash))
      },
    })
  }
}

function relayOver(
  outbox: FakeOutbox,
  sender: RecordingSender,
  logger = silentLogger,
  balanceMs = 1000,
  clock: Clock = systemClock,
) {
  return new OutboxRelay({
    sessions: outbox,
    sender,
    batchSize: 2,
    batchBytes: 1_000_000,
    busyPollMs: 1,
    idlePollMs: 5,
    balanceMs,
    backoff: { initialMs: 1, maxMs: 5 },
    clock,
    random: () => 0,
    logger,
  })
}

describe('a shift of a relay', () => {
  test('claims the next rows while a batch is being sent, and sends one batch at a time', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a'], [2, 'b'], [3, 'c'], [4, 'd'])
    const sender = new RecordingSender()
    const first = gate()
    sender.before = () => first.opened
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(outbox.claims.length).toBe(2))
    expect(outbox.claims[1]?.except).toEqual(['1', '2'])
    expect(sender.batches.length).toBe(1)
    first.open()
    await eventually(() => expect(outbox.rows).toEqual([]))
    expect(sender.values()).toEqual(['a', 'b', 'c', 'd'])
    expect(relay.relayed).toBe(4)
    await relay.close(1000)
  })

  test('does not send what was claimed ahead for a key that failed meanwhile', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'], [2, 'b1'], [1, 'a2'], [2, 'b2'])
    const sender = new RecordingSender()
    let refused = false
    sender.refuse = (message) => {
      if (refused || String(message.value) !== 'a1') return undefined
      refused = true
      return new BrokerUnavailableError('not now')
    }
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(outbox.rows).toEqual([]))
    expect(sender.values('k1')).toEqual(['a1', 'a2'])
    expect(sender.values('k2')).toEqual(['b1', 'b2'])
    await relay.close(1000)
  })

  test('sets poison aside and goes on with the rest', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'], [2, 'b1'], [1, 'a2'], [3, 'c1'])
    const sender = new RecordingSender()
    sender.refuse = (message) => (message.key?.toString() === 'k1' ? new UnknownTopicError('orders') : undefined)
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(sender.values()).toEqual(['b1', 'c1']))
    expect(outbox.aside.map(({ row }) => String(row.message.value))).toEqual(['a1'])
    await relay.close(1000)
  })

  test('says that it is held while rows are set aside, whoever did it', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'])
    const [row] = outbox.rows.splice(0)
    if (row !== undefined) outbox.aside.push({ row, error: new UnknownTopicError('late') })
    const relay = relayOver(outbox, new RecordingSender(), silentLogger, 5)
    await relay.start()
    await eventually(() => expect(relay.health().state).toBe('held'))
    expect(relay.health()).toMatchObject({
      ready: false,
      detail: expect.stringMatching(/^1 row set aside \(.*late.*\), 0 wait behind it; see outboxSetAside/),
    })
    outbox.aside.pop()
    await eventually(() => expect(relay.health()).toEqual({ ready: true, state: 'running', detail: '' }))
    await relay.close(1000)
  })

  test('is ready again when what it held is gone, sent by nobody', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'], [2, 'b1'])
    const sender = new RecordingSender()
    sender.refuse = (message) => (message.key?.toString() === 'k1' ? new ClosedError('closed for this key') : undefined)
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(relay.health().state).toBe('held'))
    outbox.rows = []
    await eventually(() => expect(relay.health()).toEqual({ ready: true, state: 'running', detail: '' }))
    await relay.close(1000)
  })

  test('passes a topic that the broker refuses, however many of its keys are in front', async () => {
    const outbox = new FakeOutbox()
    const pairs = Array.from({ length: 3000 }, (_, i) => [i, 'refused'] as const)
    outbox.put(...pairs)
    outbox.rows = outbox.rows.map((row) => ({ ...row, message: { ...row.message, topic: 'forbidden' } }))
    outbox.put([5000, 'good'])
    const sender = new RecordingSender()
    let refusing = true
    sender.refuse = ({ topic }) =>
      refusing && topic === 'forbidden' ? new BrokerRefusedError('not authorized') : undefined
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(sender.values()).toEqual(['good']))
    expect(sender.batches.length).toBeLessThan(20)
    expect(relay.health()).toMatchObject({ state: 'held', detail: expect.stringContaining('not authorized') })
    refusing = false
    outbox.rows.splice(10)
    await eventually(() => expect(outbox.rows).toEqual([]))
    await eventually(() => expect(relay.health()).toEqual({ ready: true, state: 'running', detail: '' }))
    await relay.close(1000)
  })

  test('ends when its session is lost during a send; the next one starts from what is still there', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'])
    const sender = new RecordingSender()
    const never = gate()
    sender.before = () => (outbox.opened === 1 ? never.opened : undefined)
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(sender.batches.length).toBe(1))
    outbox.lose.abort(new DatabaseUnavailableError('cut'))
    await eventually(() => expect(outbox.rows).toEqual([]))
    expect(outbox.opened).toBe(2)
    expect(sender.batches[1]).toEqual(sender.batches[0])
    never.open()
    await relay.close(1000)
  })
})

test('a relay never asks for the time of day, so a clock that is put forward or back changes nothing', async () => {
  const outbox = new FakeOutbox()
  outbox.put([1, 'a1'], [2, 'b1'])
  const now = vi.fn(() => 0)
  const sender = new RecordingSender()
  let refusals = 2
  sender.refuse = () => (refusals-- > 0 ? new BrokerUnavailableError('not yet') : undefined)
  const relay = relayOver(outbox, sender, silentLogger, 5, { ...systemClock, now })
  await relay.start()
  await eventually(() => expect(outbox.rows).toEqual([]))
  await relay.close(1000)
  expect(now).not.toHaveBeenCalled()
})

describe('an outage', () => {
  test('of the database is reported, logged once per attempt, and over by itself', async () => {
    const outbox = new FakeOutbox()
    outbox.failToOpen = new DatabaseUnavailableError('no database')
    outbox.put([1, 'a1'])
    const warn = vi.fn()
    const sender = new RecordingSender()
    const relay = relayOver(outbox, sender, { ...silentLogger, warn })
    await relay.start()
    await eventually(() => expect(warn.mock.calls.length).toBeGreaterThanOrEqual(3))
    expect(relay.health()).toEqual({
      ready: false,
      state: 'unavailable',
      detail: 'the outbox cannot be read: no database',
    })
    expect(warn.mock.calls.slice(0, 3).map(([fields]) => fields)).toMatchObject([
      { attempt: 1, reason: 'no database' },
      { attempt: 2 },
      { attempt: 3 },
    ])
    outbox.failToOpen = undefined
    await eventually(() => expect(sender.values()).toEqual(['a1']))
    await eventually(() => expect(relay.health()).toEqual({ ready: true, state: 'running', detail: '' }))
    await relay.close(1000)
    expect(relay.health().state).toBe('closed')
  })

  test('of the broker ends when nothing is left to send, too', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'])
    const sender = new RecordingSender()
    sender.refuse = () => new BrokerUnavailableError('no broker')
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(relay.health().state).toBe('unavailable'))
    outbox.rows = []
    await eventually(() => expect(relay.health().state).toBe('running'))
    await relay.close(1000)
  })

  test('of a database that does not answer does not keep a relay from closing at its deadline', async () => {
    const outbox = new FakeOutbox()
    outbox.hangs = true
    outbox.put([1, 'a1'])
    const relay = relayOver(outbox, new RecordingSender())
    await relay.start()
    await expect(relay.close(20)).rejects.toMatchObject({
      code: 'EVT_CLOSE_DEADLINE',
      message: expect.stringContaining('the database did not answer'),
    })
    expect(relay.health().state).toBe('closed')
    await expect(relay.start()).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  })

  test('of one partition, whose rows fill every batch, does not keep the keys of others waiting', async () => {
    const outbox = new FakeOutbox()
    outbox.put([1, 'a1'], [1, 'a2'], [1, 'a3'], [2, 'b1'], [3, 'c1'], [2, 'b2'])
    const sender = new RecordingSender()
    sender.stopsKey = true
    let away = true
    sender.refuse = ({ key }) =>
      away && key?.toString() === 'k1' ? new BrokerUnavailableError('no leader for this partition') : undefined
    const relay = relayOver(outbox, sender)
    await relay.start()
    await eventually(() => expect(sender.values()).toEqual(['b1', 'c1', 'b2']))
    away = false
    await eventually(() => expect(sender.values('k1')).toEqual(['a1', 'a2', 'a3']))
    await relay.close(1000)
  })

  test('does not keep a relay from closing', async () => {
    const outbox = new FakeOutbox()
    outbox.failToOpen = new DatabaseUnavailableError('no database')
    const relay = relayOver(outbox, new RecordingSender())
    await relay.start()
    await relay.close(1000)
    await expect(relay.start()).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  })
})
