import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createConsumer } from '../core/consumer.ts'
import { RecordTooLargeError } from '../core/errors.ts'
import { defineEvent } from '../core/event.ts'
import { silentLogger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import type { Transport } from '../core/transport.ts'
import { createMemoryBroker } from '../memory/memory-broker.ts'
import { withFaults } from '../testing/faulty-transport.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import {
  createRetryTopics,
  deadLetterTopic,
  type OpenDeadLetterTopicOptions,
  openDeadLetterTopic,
  retryTopicDefinitions,
} from './index.ts'
import { eventIn } from './returned-event.ts'

const group = 'shipping'
const tiers = [5000, 60_000]
const orders = defineTopic({ name: 'order-events', partitions: 1 })
const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic: orders,
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})
const ana = { by: 'ana', reason: 'the address book is complete' }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function stage() {
  const clock = createManualClock()
  const broker = createMemoryBroker({ logger: silentLogger, random: () => 0, clock })
  closing.push(() => broker.close())
  await broker.createTopics([orders, ...retryTopicDefinitions(group, tiers)])
  const producer = createProducer({ sender: broker, source: 'order-service', clock })
  const after = async (ms: number) => {
    await clock.advance(ms)
    await clock.advance(0)
  }
  /** Starts a group that fails as long as `fails` says so; tells what it handled and how often it was called. */
  const consume = async (fails: (orderId: string) => boolean, name = group) => {
    const seen = { handled: [] as string[], calls: 0 }
    const consumer = createConsumer({
      ...{ source: broker, group: name, clock, logger: silentLogger, random: () => 0, retry: { attempts: 1 } },
      rejected: deadLetterTopic({ sender: broker, clock }),
      ...(name === group && { failed: createRetryTopics({ transport: broker, tiers }) }),
    }).on(OrderPlaced, ({ data: { orderId } }) => {
      seen.calls++
      if (fails(orderId)) throw Object.assign(new Error(`no address for ${orderId}`), { code: 'E_ADDRESS' })
      seen.handled.push(orderId)
    })
    closing.push(() => consumer.close().catch(() => {}))
    await consumer.start()
    await after(0)
    return seen
  }
  const open = async (options: Partial<OpenDeadLetterTopicOptions> = {}) => {
    const letters = await openDeadLetterTopic({ transport: broker, group, tiers, clock, ...options })
    closing.push(() => letters.close())
    return letters
  }
  const waiting = () => broker.records('shipping.retry.5s').length
  return { clock, broker, producer, after, consume, open, waiting }
}

/** Lets orders die, and tells how to mend what they died of. */
async function withDead(...orderIds: string[]) {
  const all = await stage()
  let broken = true
  const seen = await all.consume((orderId) => broken && orderId.startsWith('bad'))
  for (const orderId of orderIds) await all.producer.publish(OrderPlaced, { orderId })
  await all.after(100_000)
  return {
    ...all,
    seen,
    mend: () => {
      broken = false
    },
  }
}

test('dead letters are listed with their bytes, their place and every attempt, and chosen by what is known of them', async () => {
  const { broker, open, clock } = await withDead('bad1', 'good', 'bad2')
  await broker.send([{ topic: 'order-events', key: null, value: null, headers: [] }])
  await clock.advance(0)
  const letters = await open()
  const list = await letters.list()
  expect(
    list.map(({ kind, message, offset, attemptCount, timesSeen }) => [
      kind,
      message.key?.toString(),
      offset,
      attemptCount,
      timesSeen,
    ]),
  ).toEqual([
    ['given-up', 'bad1', 0n, 3, 1],
    ['given-up', 'bad2', 2n, 3, 1],
    ['rejected', undefined, 3n, 1, 1],
  ])
  const sent = broker.records('order-events').map(({ message }) => message)
  expect(list.map(({ message }) => message)).toEqual([sent[0], sent[2], sent[3]])
  expect(list[0]?.attempts).toMatchObject(Array(3).fill({ code: 'E_ADDRESS', message: 'no address for bad1' }))
  const keys = async (filter: Parameters<typeof letters.list>[0]) =>
    (await letters.list(filter)).map(({ message }) => String(message.key))
  expect(await keys({ errorCode: 'E_ADDRESS' })).toEqual(['bad1', 'bad2'])
  expect(await keys({ key: 'bad2', topic: 'order-events' })).toEqual(['bad2'])
  expect(await keys({ eventType: 'OrderPlaced', to: new Date(0) })).toEqual([])
  expect(await keys({ from: new Date(clock.now() - 1000) })).toEqual(['null'])
  expect(await keys({ ids: [list[1]?.id ?? ''] })).toEqual(['bad2'])
})

test('a redrive reaches the group that failed and no other, and says who, why and when', async () => {
  const { broker, consume, open, seen, mend, after, clock } = await withDead('bad1', 'bad2', 'bad3')
  const others = await consume(() => false, 'billing')
  expect(others.handled).toEqual(['bad1', 'bad2', 'bad3'])
  mend()
  const letters = await open()
  const plan = await letters.plan({ key: 'bad2' }, ana)
  expect(plan).toMatchObject({
    byTopic: { 'order-events': 1 },
    byEventType: { OrderPlaced: 1 },
    byErrorCode: { E_ADDRESS: 1 },
    members: 1,
  })
  const at = clock.now()
  const { run, done, leftAlone } = await letters.redrive(plan, ana)
  expect([done, leftAlone]).toEqual([1, []])
  const redriven = broker.records('shipping.retry.5s').at(-1)?.message as RawMessage // the last of four
  expect(eventIn(redriven).event.redrives).toEqual([{ ...ana, at, run }])
  await after(0)
  expect(seen.handled).toEqual(['bad2'])
  expect(others.calls).toBe(3)
  expect(broker.records('order-events')).toHaveLength(3)
  expect((await letters.list()).map(({ message }) => String(message.key))).toEqual(['bad1', 'bad3'])
  expect(await letters.history()).toMatchObject([
    { kind: 'planned', run: plan.id, ...ana, letters: 1, filter: '{"key":"bad2"}', at },
    { kind: 'redrive', run, plan: plan.id, ...ana, letters: 1, at },
  ])
})

test('an event that still fails comes back as one dead letter each time, and its attempts go on counting', async () => {
  const { open, after, seen } = await withDead('bad')
  const letters = await open()
  const [first] = await letters.list()
  for (let redrive = 1; redrive <= 5; redrive++) {
    expect(await letters.redrive(await letters.plan({ all: true }, ana), ana)).toMatchObject({ done: 1 })
    await after(100_000)
    const [letter, ...more] = await letters.list()
    expect(more).toEqual([])
    expect(letter).toMatchObject({ id: first?.id, attemptCount: 3 + redrive * 2, message: first?.message })
    expect(letter?.redrives).toHaveLength(redrive)
  }
  await after(10_000_000)
  // Nothing goes on by itself.
  expect(seen.calls).toBe(13)
})

test('two runs that claim the same dead letters at the same moment do each of them once', async () => {
  const { broker, open, waiting, mend, after, seen } = await withDead('bad1', 'bad2', 'bad3', 'bad4')
  mend()
  const before = waiting()
  // Neither has seen the claims of the other when it writes its own.
  let claiming = 0
  let both = () => {}
  const bothClaim = new Promise<void>((resolve) => {
    both = resolve
  })
  const transport: Transport = {
    ...bound(broker),
    send: async (messages) => {
      if (messages[0]?.headers[0]?.[1].toString() === 'claimed') {
        claiming++
        if (claiming === 2) both()
        await bothClaim
      }
      return broker.send(messages)
    },
  }
  const [one, two] = [await open({ transport }), await open({ transport })]
  const plan = await one.plan({ all: true }, ana)
  const results = await Promise.all([one.redrive(plan, ana), two.redrive(plan, ana)])
  expect(claiming).toBe(2)
  expect(results.map(({ done, leftAlone }) => [done, leftAlone.length]).sort()).toEqual([
    [0, 4],
    [4, 0],
  ])
  expect(waiting() - before).toBe(4)
  await after(0)
  expect([...seen.handled].sort()).toEqual(['bad1', 'bad2', 'bad3', 'bad4'])
  expect(await one.list()).toEqual([])
})

test('what a run left when it died is done by the next one, once its claim is over', async () => {
  const { broker, open, waiting, mend, after, seen } = await withDead('bad1', 'bad2')
  mend()
  const before = waiting()
  // Its claims are written, and no event after them.
  const transport: Transport = {
    ...bound(broker),
    send: async (messages) => {
      if (messages[0]?.topic === 'shipping.retry.5s') return new Promise<never>(() => {})
      return broker.send(messages)
    },
  }
  const dying = await open({ transport })
  void dying.redrive(await dying.plan({ all: true }, ana), ana)
  const next = await open()
  const plan = await next.plan({ all: true }, ana)
  expect(await next.redrive(plan, ana)).toMatchObject({
    done: 0,
    leftAlone: [{ because: 'another run has it' }, { because: 'another run has it' }],
  })
  await after(60_000)
  expect(await next.redrive(plan, ana)).toMatchObject({ done: 2, leftAlone: [] })
  expect(waiting() - before).toBe(2)
  await after(0)
  expect(seen.handled).toEqual(['bad1', 'bad2'])
})

test('dead letters that changed since the plan are left alone, and said so', async () => {
  const { open, mend, after } = await withDead('bad1', 'bad2')
  const letters = await open()
  const plan = await letters.plan({ all: true }, ana)
  await letters.redrive(await letters.plan({ key: 'bad1' }, ana), ana)
  await after(100_000)
  mend()
  await letters.redrive(await letters.plan({ key: 'bad2' }, ana), ana)
  const { done, leftAlone } = await letters.redrive(plan, ana)
  expect([done, leftAlone.map(({ because }) => because)]).toEqual([0, ['died again meanwhile', 'decided meanwhile']])
})

test('a dead letter that cannot be written stays one, and the run ends there', async () => {
  const { broker, open } = await withDead('bad1', 'bad2', 'bad3')
  const letters = await open({
    transport: {
      ...bound(broker),
      send: async (messages) => {
        if (messages[0]?.topic === 'shipping.retry.5s') throw new RecordTooLargeError('too large on purpose')
        return broker.send(messages)
      },
    },
  })
  const result = await letters.redrive(await letters.plan({ all: true }, ana), { ...ana, ratePerSecond: 1 })
  expect(result).toMatchObject({ done: 0, leftAlone: [{ because: 'could not be written' }] })
  expect(result.leftAlone[0]?.error?.message).toContain('raise max.message.bytes')
  expect(await letters.list()).toHaveLength(3)
})

test('a redrive keeps to its rate', async () => {
  const { open, waiting, clock } = await withDead('bad1', 'bad2', 'bad3', 'bad4')
  const letters = await open()
  const before = waiting()
  const plan = await letters.plan({ all: true }, ana)
  const done = letters.redrive(plan, { ...ana, ratePerSecond: 2 })
  for (const expected of [2, 2, 4]) {
    await clock.advance(0)
    await clock.advance(0)
    expect(waiting() - before).toBe(expected)
    await clock.advance(500)
  }
  expect(await done).toMatchObject({ done: 4 })
})

test('what is discarded is no dead letter any more, and who did it stays', async () => {
  const { open, waiting } = await withDead('bad1', 'bad2')
  const letters = await open()
  const before = waiting()
  const result = await letters.discard(await letters.plan({ key: 'bad1' }, ana), { by: 'bo', reason: 'a test order' })
  expect(result.done).toBe(1)
  expect((await letters.list()).map(({ message }) => String(message.key))).toEqual(['bad2'])
  expect(waiting()).toBe(before)
  const again = await open()
  expect(await again.list()).toHaveLength(1)
  expect((await again.history()).at(-1)).toMatchObject({
    kind: 'discard',
    by: 'bo',
    reason: 'a test order',
    letters: 1,
  })
})

test('the same event that is taken over twice is one dead letter', async () => {
  const { broker, open } = await withDead('bad')
  const [record] = broker.records('shipping.dead-letters')
  if (record === undefined) return expect.unreachable()
  await broker.send([record.message])
  const letters = await open()
  expect(await letters.list()).toMatchObject([{ timesSeen: 2, attemptCount: 3 }])
})

test('records that look like notes or dead letters and are none change nothing', async () => {
  const { broker, open, consume, after } = await stage()
  await consume(() => true)
  const note = { kind: 'discarded', letter: 'x', offset: '0', run: 'r', at: 0 }
  await broker.send([
    {
      topic: 'order-events',
      key: Buffer.from('k'),
      value: Buffer.from(JSON.stringify(note)),
      headers: [
        ['evtkit-note', Buffer.from('discarded')],
        ['evtkit-kind', Buffer.from('given-up')],
      ],
    },
    {
      topic: 'shipping.dead-letters',
      key: null,
      value: Buffer.from('{"kind":"claimed"}'),
      headers: [['evtkit-note', Buffer.from('claimed')]],
    },
    { topic: 'shipping.dead-letters', key: Buffer.from('k'), value: null, headers: [] },
  ])
  await after(0)
  const letters = await open()
  const [letter, ...more] = await letters.list()
  expect(more).toEqual([])
  expect(letter).toMatchObject({ kind: 'rejected', message: { topic: 'order-events' } })
  expect(letter?.message.headers.map(([name]) => name)).toEqual(['evtkit-note', 'evtkit-kind'])
})

test('nobody touches dead letters by accident, or without a name and a reason', async () => {
  const { broker, open } = await withDead('bad')
  const letters = await open()
  await expect(letters.plan({}, ana)).rejects.toThrow('an empty filter means no dead letter')
  await expect(letters.plan({ all: true, key: 'bad' }, ana)).rejects.toThrow('say one of both')
  await expect(letters.plan({ all: true }, { by: ' ', reason: 'x' })).rejects.toThrow('by must not be empty')
  const plan = await letters.plan({ all: true }, ana)
  await expect(letters.redrive(plan, { by: 'ana', reason: '' })).rejects.toThrow('reason must not be empty')
  await expect(letters.redrive(plan, { ...ana, ratePerSecond: 0 })).rejects.toThrow('ratePerSecond must be above 0')
  await expect(letters.redrive({ ...plan, group: 'billing' }, ana)).rejects.toThrow('a plan for group "billing"')
  const { tiers: _none, ...lone } = { transport: broker, group, tiers }
  const looking = await openDeadLetterTopic(lone)
  closing.push(() => looking.close())
  await expect(looking.redrive(plan, ana)).rejects.toThrow('no tiers were given')
  expect(await letters.list()).toHaveLength(1)
})

test('a dead-letter topic that is not there, or holds too much, is said so', async () => {
  const { broker, open } = await withDead('bad')
  await expect(openDeadLetterTopic({ transport: broker, group: 'nobody' })).rejects.toThrow(
    '"nobody.dead-letters" does not exist',
  )
  const letters = await open({ maxBytes: 10 })
  await expect(letters.list()).rejects.toThrow('raise maxBytes')
})

/** A transport whose methods can be spread. */
function bound(transport: Transport): Transport {
  return withFaults(transport)
}
