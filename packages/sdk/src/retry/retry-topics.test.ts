import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createConsumer } from '../core/consumer.ts'
import type { ConsumerOptions } from '../core/consumer-options.ts'
import { BrokerRefusedError, InvalidConfigurationError } from '../core/errors.ts'
import { defineEvent } from '../core/event.ts'
import { silentLogger } from '../core/logger.ts'
import type { Delivery, Header } from '../core/message.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import { createMemoryBroker } from '../memory/memory-broker.ts'
import { withFaults } from '../testing/faulty-transport.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { collectRejections } from '../testing/rejections.ts'
import { createRetryTopics, deadLetterTopic, retryTopicDefinitions } from './index.ts'
import { eventIn } from './returned-event.ts'

const group = 'shipping'
const tiers = [5000, 60_000, 600_000]
const orders = defineTopic({ name: 'order-events', partitions: 1 })
const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic: orders,
  schema: z.object({ orderId: z.string(), step: z.number() }),
  key: (order) => order.orderId,
})

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function stage(options: { topics?: boolean; maxRecordBytes?: number } = {}) {
  const clock = createManualClock()
  const { topics = true, ...limits } = options
  const broker = createMemoryBroker({ logger: silentLogger, random: () => 0, clock, ...limits })
  closing.push(() => broker.close())
  await broker.createTopics(topics ? [orders, ...retryTopicDefinitions(group, tiers)] : [orders])
  const transport = withFaults(broker)
  const rejections = collectRejections()
  const failed = createRetryTopics({ transport, tiers })
  const consumerOf = (more: Partial<ConsumerOptions> = {}) => {
    const consumer = createConsumer({
      ...{ source: broker, group, failed, rejected: rejections.handler, clock, logger: silentLogger, random: () => 0 },
      retry: { attempts: 1 },
      ...more,
    })
    closing.push(() => consumer.close().catch(() => {}))
    return consumer
  }
  const producer = createProducer({ sender: broker, source: 'order-service', clock })
  const count = (topic: string) => broker.records(topic).length
  const committed = async (topic: string) => (await broker.committed(group, topic))[0]?.offset
  /** Lets time pass until `check` holds; the time of the clock that it took. */
  const after = async (ms: number) => {
    await clock.advance(ms)
    await clock.advance(0)
  }
  return { clock, broker, transport, rejections, failed, consumerOf, producer, count, committed, after }
}

test('a failed event is handed over again after each delay, and the others are not held up', async () => {
  const { clock, consumerOf, producer, count, committed, after } = await stage()
  const start = clock.monotonic()
  const seen: string[] = []
  const deliveries: Delivery[] = []
  const consumer = consumerOf().on(OrderPlaced, ({ data: { orderId, step } }, { delivery }) => {
    seen.push(`${orderId}${step} after ${clock.monotonic() - start}`)
    if (orderId !== 'bad') return
    deliveries.push(delivery)
    if (deliveries.length <= 2) throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: 'bad', step: 1 })
  await producer.publish(OrderPlaced, { orderId: 'good', step: 1 })
  await consumer.start()
  await after(0)
  expect(seen).toEqual(['bad1 after 0', 'good1 after 0'])
  expect(await committed('order-events')).toBe(2n)
  await after(4999)
  expect(seen).toHaveLength(2)
  await after(1)
  expect(seen.slice(2)).toEqual(['bad1 after 5000'])
  await after(59_999)
  expect(seen).toHaveLength(3)
  await after(1)
  expect(seen.slice(3)).toEqual(['bad1 after 65000'])
  expect(await committed('shipping.retry.1m')).toBe(1n)
  expect(count('shipping.dead-letters')).toBe(0)
  // Topic, place, bytes and headers are those of the first time; attempts go on counting.
  const [first, ...again] = deliveries
  expect(again.map(({ attempt }) => attempt)).toEqual([2, 3])
  for (const later of again) expect({ ...later, attempt: 1 }).toEqual(first)
})

test('what fails in the last tier is a dead letter with every attempt', async () => {
  const { clock, broker, consumerOf, producer, count, after } = await stage()
  const consumer = consumerOf().on(OrderPlaced, () => {
    throw Object.assign(new Error('the address is \u0007 unknown'), { code: 'E_ADDRESS' })
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  const [sent] = broker.records('order-events')
  await consumer.start()
  await after(1_000_000)
  expect(tiers.map((_, i) => count(['shipping.retry.5s', 'shipping.retry.1m', 'shipping.retry.10m'][i] ?? ''))).toEqual(
    [1, 1, 1],
  )
  const [dead] = broker.records('shipping.dead-letters')
  const { event, kind } = eventIn(dead?.message ?? { topic: '', key: null, value: null, headers: [] })
  expect(kind).toBe('given-up')
  expect(event.message).toEqual({ ...sent?.message, timestamp: sent?.message.timestamp })
  expect(event.attempts.count).toBe(4)
  const began = clock.now() - 1_000_000
  expect(event.attempts.kept.map(({ at, code, message }) => [at - began, code, message])).toEqual(
    [0, 5000, 65_000, 665_000].map((at) => [at, 'E_ADDRESS', 'the address is \ufffd unknown']),
  )
  expect(event.attempts.kept.at(-1)?.stack).toContain('retry-topics.test.ts')
})

test('an event has all its attempts in place before the first delay, and one after each', async () => {
  const { clock, consumerOf, producer, after } = await stage()
  const start = clock.monotonic()
  const seen: string[] = []
  const consumer = consumerOf({ retry: { attempts: 3, initialMs: 100 } }).on(OrderPlaced, (_event, { delivery }) => {
    seen.push(`${delivery.attempt} after ${clock.monotonic() - start}`)
    throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(1_000_000)
  expect(seen).toEqual(['1 after 0', '2 after 100', '3 after 300', '4 after 5300', '5 after 65300', '6 after 665300'])
})

test('an event that no attempt can help is a dead letter at once', async () => {
  const { consumerOf, producer, count, after } = await stage()
  const consumer = consumerOf({ retry: { final: ['E_CLOSED_ACCOUNT'] } }).on(OrderPlaced, () => {
    throw Object.assign(new Error('closed'), { code: 'E_CLOSED_ACCOUNT' })
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(0)
  expect([count('shipping.retry.5s'), count('shipping.dead-letters')]).toEqual([0, 1])
})

test('key, value and headers come back byte for byte, also those that look like ours', async () => {
  const { broker, consumerOf, after } = await stage()
  const headers: Header[] = [
    ['evtkit-due', Buffer.from('99999999999999')],
    ['evtkit-topic', Buffer.from([0xff, 0])],
    ['evtkit-attempt-count', Buffer.from('77')],
    ['twice', Buffer.from('1')],
    ['twice', Buffer.from('2')],
  ]
  const seen: Delivery[] = []
  const consumer = consumerOf({
    codec: {
      recognises: () => true,
      encode: () => Promise.reject(new Error('nothing is published here')),
      decode: () => ({
        ...{ eventId: 'id', eventType: 'OrderPlaced', eventVersion: 'v1', timestamp: '', source: 's', metadata: {} },
        ...{ correlationId: 'c', causationId: null, data: { orderId: 'a', step: 1 } },
      }),
    },
  }).on(OrderPlaced, (_event, { delivery }) => {
    seen.push(delivery)
    if (seen.length < 3) throw new Error('not yet')
  })
  await broker.send([{ topic: 'order-events', key: null, value: Buffer.from([1, 0, 255]), headers, timestamp: 17 }])
  await consumer.start()
  // A forged header on a topic that anyone writes to neither holds the event up nor counts as attempts.
  await after(0)
  expect(seen.map(({ attempt }) => attempt)).toEqual([1])
  await after(65_000)
  expect(seen).toHaveLength(3)
  for (const { message } of seen)
    expect(message).toEqual({
      topic: 'order-events',
      key: null,
      value: Buffer.from([1, 0, 255]),
      headers,
      timestamp: 17,
    })
})

test('a record in a retry topic that no consumer of the group wrote is set aside as it is', async () => {
  const { broker, rejections, consumerOf, after } = await stage()
  const consumer = consumerOf().on(OrderPlaced, () => {})
  const forged = { topic: 'shipping.retry.5s', key: null, value: Buffer.from('{}'), headers: [] }
  await broker.send([forged])
  await consumer.start()
  await after(0)
  expect(rejections.list).toMatchObject([
    {
      delivery: { message: forged },
      error: { code: 'EVT_UNDECODABLE_RECORD', message: expect.stringContaining('evtkit-kind') },
    },
  ])
})

test('a record that cannot be read any more when it comes back is set aside with its first place and all attempts', async () => {
  const { broker, consumerOf, producer, transport, clock, after } = await stage()
  const failing = consumerOf().on(OrderPlaced, () => {
    throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await failing.start()
  await after(0)
  await failing.close()
  const other = defineEvent({ type: 'Other', topic: orders, schema: z.object({}), key: () => 'k' })
  const consumer = consumerOf({ rejected: deadLetterTopic({ sender: transport, clock }) }).on(other, () => {})
  await consumer.start()
  await after(5000)
  const [dead] = broker.records('shipping.dead-letters')
  const { event, kind } = eventIn(dead?.message ?? { topic: '', key: null, value: null, headers: [] })
  expect([kind, event.message.topic, event.offset, event.attempts.count]).toEqual(['rejected', 'order-events', 0n, 2])
  expect(event.attempts.kept.map(({ code }) => code)).toEqual(['Error', 'EVT_UNKNOWN_EVENT'])
})

test('events that are due shortly after one another are handed over together', async () => {
  const { clock, consumerOf, producer, after } = await stage()
  const start = clock.monotonic()
  const seen: string[] = []
  const consumer = consumerOf().on(OrderPlaced, ({ data: { step } }, { delivery: { attempt } }) => {
    if (attempt === 1) throw new Error('not yet')
    seen.push(`${step} after ${clock.monotonic() - start}`)
  })
  await consumer.start()
  for (const step of [1, 2, 3]) {
    await producer.publish(OrderPlaced, { orderId: 'a', step })
    await after(10)
  }
  await after(10_000)
  expect(seen).toEqual(['1 after 5000', '2 after 5500', '3 after 5500'])
})

test('the delay goes on where it was after a restart', async () => {
  const { consumerOf, producer, after } = await stage()
  let fails = true
  const seen: number[] = []
  const begin = () =>
    consumerOf().on(OrderPlaced, ({ data }) => {
      if (fails) throw new Error('not yet')
      seen.push(data.step)
    })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  const first = begin()
  await first.start()
  await after(3000)
  await first.close()
  fails = false
  const second = begin()
  await second.start()
  await after(1999)
  expect(seen).toEqual([])
  await after(1)
  expect(seen).toEqual([1])
})

test('members that come and go during each delay neither lose it nor stop a partition', async () => {
  const { broker, consumerOf, producer, after, committed } = await stage()
  const attempts: number[] = []
  const begin = () =>
    consumerOf().on(OrderPlaced, (_event, { delivery }) => {
      attempts.push(delivery.attempt)
      if (delivery.attempt < 4) throw new Error('not yet')
    })
  let member = begin()
  await member.start()
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await after(0)
  for (const delayMs of tiers) {
    await after(delayMs / 2)
    const next = begin()
    await Promise.all([next.start(), after(0)])
    await Promise.all([member.close(), after(0)])
    member = next
    await after(delayMs / 2 - 1)
    expect(attempts).toHaveLength(tiers.indexOf(delayMs) + 1)
    await after(1)
    expect(attempts).toHaveLength(tiers.indexOf(delayMs) + 2)
  }
  expect(attempts).toEqual([1, 2, 3, 4])
  expect(await committed('shipping.retry.10m')).toBe(1n)
  // And each partition goes on: the next event passes all of it again.
  await broker.send([...broker.records('order-events')].map(({ message }) => message))
  await after(700_000)
  expect(attempts).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
})

test('a due time that a wrong clock wrote holds an event for its delay at most, however often it is looked at', async () => {
  const { broker, transport, clock, consumerOf, producer, after } = await stage()
  const ahead = { ...clock, now: () => clock.now() + 3_600_000 }
  const wrong = consumerOf({ clock: ahead }).on(OrderPlaced, () => {
    throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await wrong.start()
  await after(0)
  await wrong.close()

  let now = clock.now()
  const host = { group, topics: [], deadlineMs: 1000, logger: silentLogger, run: () => expect.unreachable() }
  const member = createRetryTopics({ transport, tiers }).join({ ...host, clock: { ...clock, now: () => now } })
  const [record] = broker.records('shipping.retry.5s')
  if (record === undefined) return expect.unreachable()
  const { message, partition, offset } = record
  const left = () => member.returned?.({ message, partition, offset, group, attempt: 1, replay: null })?.dueInMs
  expect(left()).toBe(5000)
  await after(2000)
  expect(left()).toBe(3000)
  // The time of day may jump meanwhile; what counts is how long it has waited.
  now -= 86_400_000
  expect(left()).toBe(3000)
  now += 10 * 86_400_000
  expect(left()).toBe(3000)
  await after(3000)
  expect(left()).toBe(0)
})

test('an event that cannot be written keeps its offset where it is, and health says what to do', async () => {
  const { broker, consumerOf, producer, committed, after, count } = await stage({ maxRecordBytes: 2500 })
  const consumer = consumerOf({ retry: { attempts: 1, maxMs: 1000 } }).on(OrderPlaced, ({ data }) => {
    if (data.orderId.startsWith('large')) throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: `large${'x'.repeat(940)}`, step: 1 })
  await consumer.start()
  await after(0)
  expect(await committed('order-events')).toBeUndefined()
  expect(count('shipping.retry.5s')).toBe(0)
  expect(consumer.health()).toMatchObject({ ready: false, detail: expect.stringContaining('raise max.message.bytes') })
  expect(broker.records('order-events')).toHaveLength(1)
})

test('attempts are left out before a record is too large to be written', async () => {
  const { consumerOf, producer, committed, after, broker } = await stage({ maxRecordBytes: 2500 })
  const consumer = consumerOf().on(OrderPlaced, () => {
    throw new Error('x'.repeat(3000))
  })
  await producer.publish(OrderPlaced, { orderId: 'a'.repeat(450), step: 1 })
  await consumer.start()
  await after(700_000)
  expect(await committed('order-events')).toBe(1n)
  const [dead] = broker.records('shipping.dead-letters')
  const { event } = eventIn(dead?.message ?? { topic: '', key: null, value: null, headers: [] })
  expect([event.attempts.count, event.attempts.kept.length]).toEqual([4, 1])
})

test('an outage while an event is taken over is waited out and counts for nothing', async () => {
  const { transport, consumerOf, producer, committed, after, count } = await stage()
  let attempts = 0
  const consumer = consumerOf().on(OrderPlaced, () => {
    attempts++
    throw new Error('not yet')
  })
  transport.failNextSend()
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(0)
  expect(await committed('order-events')).toBeUndefined()
  expect(consumer.health()).toMatchObject({ ready: false, state: 'outage' })
  await after(2000)
  expect(await committed('order-events')).toBe(1n)
  expect(count('shipping.retry.5s')).toBe(1)
  expect(attempts).toBe(2)
})

test('a retry topic that nobody may write to keeps the event where it is, and health says so', async () => {
  const { transport, consumerOf, producer, committed, after, count } = await stage()
  const consumer = consumerOf({ retry: { attempts: 1, maxMs: 1000 } }).on(OrderPlaced, () => {
    throw new Error('not yet')
  })
  transport.failNextSend(new BrokerRefusedError('not authorized to write to "shipping.retry.5s"'))
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(0)
  expect(await committed('order-events')).toBeUndefined()
  expect(consumer.health()).toMatchObject({ ready: false, detail: expect.stringContaining('not authorized') })
  await after(2000)
  expect(await committed('order-events')).toBe(1n)
  expect(count('shipping.retry.5s')).toBe(1)
})

test('a missing dead-letter topic is named, and nothing is handled before it is there', async () => {
  const { broker, consumerOf, producer, committed, after } = await stage()
  await broker.deleteTopics(['shipping.dead-letters'])
  const seen: number[] = []
  const consumer = consumerOf().on(OrderPlaced, ({ data }) => void seen.push(data.step))
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(0)
  expect(consumer.health().detail).toContain('"shipping.dead-letters". Create them; retryTopicDefinitions("shipping", ')
  await broker.createTopics(retryTopicDefinitions(group, tiers))
  await after(10_000)
  expect(seen).toEqual([1])
  expect(await committed('order-events')).toBe(1n)
  expect(consumer.health().ready).toBe(true)
})

test('a dead-letter topic that goes away keeps the event in its retry topic', async () => {
  const { broker, consumerOf, producer, committed, after, count } = await stage()
  const consumer = consumerOf({ retry: { attempts: 1, maxMs: 1000 } }).on(OrderPlaced, () => {
    throw new Error('never')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await after(65_000)
  await broker.deleteTopics(['shipping.dead-letters'])
  await after(600_000)
  expect(await committed('shipping.retry.10m')).toBeUndefined()
  expect(consumer.health()).toMatchObject({ ready: false, detail: expect.stringContaining('there is no such topic') })
  await broker.createTopics(retryTopicDefinitions(group, tiers))
  await after(10_000)
  expect(await committed('shipping.retry.10m')).toBe(1n)
  expect(count('shipping.dead-letters')).toBe(1)
})

test.each([
  ['too short a retention', { retentionMs: 100_000 }, 'keeps records for 100000 ms'],
  ['compaction', { cleanup: 'compact' as const }, 'is compacted'],
])('%s of a retry topic is refused before anything is handled', async (_what, changes, expected) => {
  const { broker, consumerOf, producer, after } = await stage()
  await broker.configureTopic('shipping.retry.1m', changes)
  const consumer = consumerOf().on(OrderPlaced, () => expect.unreachable())
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await Promise.all([expect(consumer.start()).rejects.toThrow(expected), after(0)])
  expect(await broker.members(group)).toBe(0)
})

test('a tier that is taken away while events wait in its topic is missed', async () => {
  const { broker, transport, consumerOf, producer, after } = await stage()
  const first = consumerOf().on(OrderPlaced, () => {
    throw new Error('not yet')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await first.start()
  await after(5000)
  await first.close()
  expect(broker.records('shipping.retry.1m')).toHaveLength(1)
  const fewer = consumerOf({ failed: createRetryTopics({ transport, tiers: [5000] }) }).on(OrderPlaced, () => {})
  await expect(fewer.start()).rejects.toThrow('"shipping.retry.1m" still holds 1 event(s)')
})

test('tiers that cannot work are refused, with what is wrong', async () => {
  const { transport } = await stage()
  for (const [wrong, expected] of [
    [[], /at least one tier/],
    [[0], /above 0, got 0/],
    [[-5], /above 0/],
    [[1.5], /whole number/],
    [[Number.POSITIVE_INFINITY], /whole number/],
    [[60_000, 5000], /5000 comes after 60000/],
    [[5000, 5000], /none may repeat/],
  ] as const)
    expect(() => createRetryTopics({ transport, tiers: wrong }), String(wrong)).toThrow(expected)
})

test('a group that cannot name a topic is refused at start', async () => {
  const { consumerOf } = await stage()
  for (const [wrong, expected] of [
    ['shipping team', /Kafka takes only/],
    ['x'.repeat(240), /takes 249/],
  ] as const) {
    const consumer = consumerOf({ group: wrong }).on(OrderPlaced, () => {})
    await expect(consumer.start()).rejects.toThrow(expected)
  }
})

test('a handler for the topic that failures go to is refused at start', async () => {
  const { consumerOf } = await stage()
  const own = defineEvent({
    type: 'X',
    topic: defineTopic({ name: 'shipping.dead-letters' }),
    schema: z.object({}),
    key: () => '',
  })
  await expect(
    consumerOf()
      .on(own, () => {})
      .start(),
  ).rejects.toThrow(InvalidConfigurationError)
})
