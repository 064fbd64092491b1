import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createMemoryBroker, type MemoryBroker } from '../memory/memory-broker.ts'
import { createGate } from '../testing/conformance/gate.ts'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { collectRejections } from '../testing/rejections.ts'
import { type Clock, pause } from './clock.ts'
import { type Consumer, createConsumer } from './consumer.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { ClosedError, InvalidConfigurationError, UndecodableRecordError } from './errors.ts'
import { defineEvent } from './event.ts'
import { silentLogger } from './logger.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({ name: 'order-events', partitions: 1 })
const schema = z.object({ orderId: z.string(), step: z.number() })
const OrderPlaced = defineEvent({ type: 'OrderPlaced', topic, schema, key: (order) => order.orderId })
const OrderShipped = defineEvent({ type: 'OrderShipped', topic, schema, key: (order) => order.orderId })
const OrderPlacedV2 = defineEvent({ type: 'OrderPlaced', version: 'v2', topic, schema, key: (order) => order.orderId })

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function setUp(clock?: ManualClock) {
  const time: { clock?: Clock } = clock === undefined ? {} : { clock }
  const broker = createMemoryBroker({ logger: silentLogger, random: () => 0, ...time })
  await broker.createTopics([topic])
  closing.push(() => broker.close())
  const rejections = collectRejections()
  const consumerOf = (options: Partial<ConsumerOptions> = {}): Consumer => {
    const consumer = createConsumer({
      source: broker,
      group: 'shipping',
      rejected: rejections.handler,
      logger: silentLogger,
      random: () => 0,
      ...time,
      ...options,
    })
    closing.push(() => consumer.close().catch(() => {}))
    return consumer
  }
  const producer = createProducer({ sender: broker, source: 'order-service' })
  return { broker, rejections, consumerOf, producer }
}

const committed = async (broker: MemoryBroker) => (await broker.committed('shipping', topic.name))[0]?.offset

test('facts of one key come in order, one at a time, and different keys at once', async () => {
  const { consumerOf, producer } = await setUp()
  const running = new Set<string>()
  const seen: string[] = []
  let most = 0
  const consumer = consumerOf({ concurrency: 3 }).on(OrderPlaced, async ({ data: { orderId, step } }) => {
    expect(running.has(orderId)).toBe(false)
    running.add(orderId)
    most = Math.max(most, running.size)
    await new Promise(setImmediate)
    running.delete(orderId)
    seen.push(`${orderId}${step}`)
  })
  await Promise.all(
    [0, 1, 2].flatMap((step) =>
      ['a', 'b', 'c', 'd', 'e'].map((orderId) => producer.publish(OrderPlaced, { orderId, step })),
    ),
  )
  await consumer.start()
  await vi.waitFor(() => expect(seen).toHaveLength(15))
  expect(most).toBe(3)
  for (const key of ['a', 'b', 'c', 'd', 'e'])
    expect(seen.filter((entry) => entry.startsWith(key))).toEqual([`${key}0`, `${key}1`, `${key}2`])
})

test('known events without a handler are skipped, unknown ones are set aside', async () => {
  const { broker, rejections, consumerOf, producer } = await setUp()
  const seen: number[] = []
  const consumer = consumerOf({ catalogue: [OrderShipped] }).on(OrderPlaced, ({ data }) => void seen.push(data.step))
  const Foreign = defineEvent({ type: 'Foreign', topic, schema, key: () => 'k' })
  await producer.publish(OrderShipped, { orderId: 'a', step: 1 })
  await producer.publish(Foreign, { orderId: 'a', step: 2 })
  await producer.publish(OrderPlacedV2, { orderId: 'a', step: 3 })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 4 })
  await consumer.start()
  await vi.waitFor(async () => expect(await committed(broker)).toBe(4n))
  expect(seen).toEqual([4])
  expect(rejections.list.map(({ error: { code, message } }) => [code, message])).toEqual([
    ['EVT_UNKNOWN_EVENT', expect.stringContaining('Foreign v1 is not known to group "shipping"')],
    ['EVT_UNKNOWN_EVENT', expect.stringContaining('handles only v1 of it; add a handler for v2')],
  ])
})

test('a skipped type is known by its envelope too, when its header is missing', async () => {
  const { broker, rejections, consumerOf, producer } = await setUp()
  const consumer = consumerOf({ catalogue: [OrderShipped] }).on(OrderPlaced, () => {})
  await producer
    .through({ send: (messages) => broker.send(messages.map((message) => ({ ...message, headers: [] }))) })
    .publish(OrderShipped, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(async () => expect(await committed(broker)).toBe(1n))
  expect(rejections.list).toEqual([])
})

test('data that does not match the definition is set aside with the path', async () => {
  const { broker, rejections, consumerOf, producer } = await setUp()
  const Loose = defineEvent({ type: 'OrderPlaced', topic, schema: z.record(z.string(), z.unknown()), key: () => 'k' })
  const consumer = consumerOf().on(OrderPlaced, () => {})
  await producer.publish(Loose, { orderId: 'a', step: 'one' })
  await consumer.start()
  await vi.waitFor(async () => expect(await committed(broker)).toBe(1n))
  expect(rejections.list[0]?.error).toMatchObject({ code: 'EVT_INVALID_RECORD', issues: [{ path: 'step' }] })
})

test('partitions that wait for their turn behind slow handlers lose nothing', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const Wide = defineTopic({ name: 'wide-events', partitions: 3 })
  await broker.createTopics([Wide])
  const WidePlaced = defineEvent({ type: 'WidePlaced', topic: Wide, schema, key: (order) => order.orderId })
  const seen: string[] = []
  const statuses: string[] = []
  const consumer = consumerOf({
    concurrency: 1,
    deadlineMs: 500,
    source: {
      subscribe: (options) =>
        broker.subscribe({
          ...options,
          onStatus: (status) => {
            statuses.push(status.state)
            options.onStatus(status)
          },
        }),
    },
  }).on(WidePlaced, async ({ data: { orderId, step } }) => {
    await pause(clock, 400)
    seen.push(`${orderId}${step}`)
  })
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  for (let step = 0; step < 10; step++)
    for (const orderId of keys) await producer.publish(WidePlaced, { orderId, step })
  await consumer.start()
  await clock.advance(60 * 400 + 5000)
  expect(statuses).not.toContain('unavailable')
  expect(seen).toHaveLength(60)
  for (const key of keys)
    expect(seen.filter((entry) => entry.startsWith(key))).toEqual(Array.from({ length: 10 }, (_, i) => `${key}${i}`))
  expect(consumer.health().state).toBe('running')
})

test('a record that cannot be set aside is tried again, and the offset waits for it', async () => {
  const clock = createManualClock()
  const { broker, consumerOf } = await setUp(clock)
  let attempts = 0
  const consumer = consumerOf({
    retry: { initialMs: 100 },
    rejected: () => {
      attempts++
      if (attempts < 3) throw new Error('the table is not there')
    },
  }).on(OrderPlaced, () => {})
  await broker.send([{ topic: topic.name, key: null, value: null, headers: [] }])
  await consumer.start()
  await vi.waitFor(() => expect(attempts).toBe(1))
  expect(await committed(broker)).toBeUndefined()
  await clock.advance(100)
  expect(attempts).toBe(2)
  await clock.advance(200)
  expect(attempts).toBe(3)
  expect(await committed(broker)).toBe(1n)
})

test('a failing handler is tried again with growing waits; health says so until it succeeds', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const attempts: [attempt: number, at: number][] = []
  const consumer = consumerOf({ retry: { initialMs: 100, maxMs: 300 } }).on(OrderPlaced, (_event, { delivery }) => {
    attempts.push([delivery.attempt, clock.monotonic()])
    if (attempts.length < 5) throw new TypeError('Cannot read properties of undefined')
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(() => expect(consumer.health().state).toBe('blocked'))
  expect(consumer.health()).toEqual({
    ready: false,
    state: 'blocked',
    detail: 'order-events/0 waits at offset 0, failed 1 time(s): Cannot read properties of undefined',
  })
  await clock.advance(5000)
  expect(attempts).toEqual([
    [1, 0],
    [2, 100],
    [3, 300],
    [4, 600],
    [5, 900],
  ])
  expect(consumer.health()).toEqual({ ready: true, state: 'running', detail: '' })
  expect(await committed(broker)).toBe(1n)
})

test('while one key waits for its next attempt, records of other keys that come later are handled, once each', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const seen: string[] = []
  let failing = true
  const consumer = consumerOf({ retry: { initialMs: 60_000, maxMs: 60_000 } }).on(OrderPlaced, ({ data }) => {
    if (data.orderId === 'a' && failing) throw new Error('not yet')
    seen.push(`${data.orderId}${data.step}`)
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(() => expect(consumer.health().state).toBe('blocked'))
  await producer.publish(OrderPlaced, { orderId: 'a', step: 2 })
  await producer.publish(OrderPlaced, { orderId: 'b', step: 1 })
  await clock.advance(5000)
  expect(seen).toEqual(['b1'])
  expect(await committed(broker)).toBeUndefined()
  failing = false
  await clock.advance(60_000)
  expect(seen).toEqual(['b1', 'a1', 'a2'])
  expect(await committed(broker)).toBe(3n)
})

test('a record whose setting aside hangs is given up at the deadline and tried again', async () => {
  const clock = createManualClock()
  const { broker, consumerOf } = await setUp(clock)
  let attempts = 0
  const consumer = consumerOf({
    deadlineMs: 1000,
    retry: { initialMs: 50 },
    rejected: () => {
      attempts++
      return attempts === 1 ? new Promise(() => {}) : undefined
    },
  }).on(OrderPlaced, () => {})
  await broker.send([{ topic: topic.name, key: null, value: null, headers: [] }])
  await consumer.start()
  await vi.waitFor(() => expect(attempts).toBe(1))
  await clock.advance(1200)
  expect(attempts).toBe(2)
  expect(await committed(broker)).toBe(1n)
})

test('a handler that takes too long has its signal aborted, and the event comes again', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const signals: AbortSignal[] = []
  const consumer = consumerOf({ deadlineMs: 1000, retry: { initialMs: 50 } }).on(OrderPlaced, (_event, { signal }) => {
    signals.push(signal)
    if (signals.length > 1) return
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(() => expect(signals).toHaveLength(1))
  await clock.advance(900)
  expect(signals[0]?.aborted).toBe(false)
  await clock.advance(300)
  expect(signals[0]?.reason).toMatchObject({ code: 'EVT_HANDLER_DEADLINE' })
  expect(signals).toHaveLength(2)
  expect(await committed(broker)).toBe(1n)
})

test('a record does not run again beside a call that ignores its signal; its key waits, and close does not', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const gates = [createGate(), createGate()]
  const seen: string[] = []
  const consumer = consumerOf({ deadlineMs: 1000, retry: { initialMs: 50, maxMs: 50 } }).on(OrderPlaced, ({ data }) => {
    seen.push(`${data.orderId}${data.step}`)
    return data.orderId === 'a' ? gates.shift()?.passed : undefined
  })
  const [first, second] = gates
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await producer.publish(OrderPlaced, { orderId: 'b', step: 1 })
  await consumer.start()
  await clock.advance(20_000)
  expect(seen).toEqual(['a1', 'b1'])
  expect(consumer.health()).toMatchObject({ ready: false, state: 'blocked' })
  first?.open()
  await clock.advance(2000)
  expect(seen).toEqual(['a1', 'b1', 'a1'])
  await clock.advance(5000)
  expect(seen).toHaveLength(3)
  expect(await committed(broker)).toBeUndefined()
  await consumer.close()
  second?.open()
})

test.each([
  ['an error', new Error('too late')],
  ['a rejection', new UndecodableRecordError('too late')],
])('%s that a call throws after its deadline changes nothing', async (_what, late) => {
  const clock = createManualClock()
  const { broker, rejections, consumerOf, producer } = await setUp(clock)
  const attempts: number[] = []
  const consumer = consumerOf({ deadlineMs: 1000, retry: { initialMs: 50, maxMs: 50 } }).on(
    OrderPlaced,
    async (_event, { delivery, signal }) => {
      attempts.push(delivery.attempt)
      if (attempts.length > 1) return
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      throw late
    },
  )
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await clock.advance(5000)
  expect(attempts).toEqual([1, 2])
  expect(rejections.list).toEqual([])
  expect(consumer.health()).toEqual({ ready: true, state: 'running', detail: '' })
  expect(await committed(broker)).toBe(1n)
})

test('middleware sees the message, surrounds the handler, and fails like it', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  const steps: string[] = []
  let failing = true
  const consumer = consumerOf({ retry: { initialMs: 100 } })
    .use(async ({ delivery }, next) => {
      steps.push(`before ${delivery.offset}`)
      if (failing) throw new Error('not yet')
      await next()
      steps.push('after')
    })
    .on(OrderPlaced, () => void steps.push('handler'))
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(() => expect(steps).toEqual(['before 0']))
  failing = false
  await clock.advance(100)
  expect(steps).toEqual(['before 0', 'before 0', 'handler', 'after'])
  expect(await committed(broker)).toBe(1n)
})

test('a handler may return any thenable', async () => {
  const { broker, consumerOf, producer } = await setUp()
  const gate = createGate()
  // biome-ignore lint/suspicious/noThenProperty: what a query builder is, something with `then` that is no Promise
  const thenable = { then: gate.passed.then.bind(gate.passed) } as unknown as Promise<void>
  const consumer = consumerOf().on(OrderPlaced, () => thenable)
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(async () => expect(await broker.members('shipping')).toBe(1))
  expect(await committed(broker)).toBeUndefined()
  gate.open()
  await vi.waitFor(async () => expect(await committed(broker)).toBe(1n))
})

test('close waits for running handlers, commits them, and starts nothing more', async () => {
  const { broker, consumerOf, producer } = await setUp()
  const gate = createGate()
  const seen: number[] = []
  const consumer = consumerOf().on(OrderPlaced, async ({ data }) => {
    await gate.passed
    seen.push(data.step)
  })
  for (const step of [1, 2]) await producer.publish(OrderPlaced, { orderId: 'a', step })
  await consumer.start()
  await vi.waitFor(async () => expect(await broker.members('shipping')).toBe(1))
  await new Promise(setImmediate)
  const closed = consumer.close()
  expect(consumer.close()).toBe(closed)
  expect(consumer.health()).toMatchObject({ ready: false, state: 'closed' })
  gate.open()
  await closed
  expect(await committed(broker)).toBe(BigInt(seen.length))
  expect(seen.length).toBeLessThan(2)
  await expect(consumer.start()).rejects.toThrow(ClosedError)
})

test('close gives up running handlers at its deadline and says how many', async () => {
  const clock = createManualClock()
  const { broker, consumerOf, producer } = await setUp(clock)
  let signal: AbortSignal | undefined
  const consumer = consumerOf().on(OrderPlaced, (_event, context) => {
    signal = context.signal
    return new Promise(() => {})
  })
  await producer.publish(OrderPlaced, { orderId: 'a', step: 1 })
  await consumer.start()
  await vi.waitFor(() => expect(signal).toBeDefined())
  const closed = expect(consumer.close(500)).rejects.toMatchObject({
    code: 'EVT_CLOSE_DEADLINE',
    message: expect.stringContaining('1 handler(s)'),
  })
  await clock.advance(500)
  await closed
  expect(signal?.aborted).toBe(true)
  expect(await committed(broker)).toBeUndefined()
  expect(await broker.members('shipping')).toBe(0)
  expect(clock.pending).toBe(0)
})

test('waits for a topic that is not there, says so, and can be closed meanwhile', async () => {
  const { broker, consumerOf } = await setUp()
  await broker.deleteTopics([topic.name])
  const consumer = consumerOf().on(OrderPlaced, () => {})
  expect(consumer.health()).toEqual({ ready: false, state: 'new', detail: 'not started' })
  const starting = expect(consumer.start()).rejects.toThrow(ClosedError)
  await vi.waitFor(() =>
    expect(consumer.health()).toEqual({
      ready: false,
      state: 'connecting',
      detail: expect.stringContaining('topic "order-events" does not exist'),
    }),
  )
  await consumer.close()
  await starting
})

test('closing what was never started is nothing', async () => {
  const { consumerOf } = await setUp()
  await consumerOf().close()
})

test.each([
  { group: '' },
  { concurrency: 0 },
  { concurrency: 1.5 },
  { deadlineMs: 0 },
  { deadlineMs: Number.NaN },
  { deadlineMs: Number.POSITIVE_INFINITY },
])('refuses %j', async (options) => {
  const { consumerOf } = await setUp()
  expect(() => consumerOf(options)).toThrow(InvalidConfigurationError)
})

test('refuses handlers that contradict each other, come too late, or are missing', async () => {
  const { consumerOf } = await setUp()
  await expect(consumerOf().start()).rejects.toThrow('has no handlers')
  const consumer = consumerOf().on(OrderPlaced, () => {})
  expect(() => consumer.on(OrderPlaced, () => {})).toThrow('already has a handler')
  consumer.on(OrderPlacedV2, () => {})
  await consumer.start()
  expect(() => consumer.on(OrderShipped, () => {})).toThrow('before the consumer')
  expect(() => consumer.use((_context, next) => next())).toThrow('before the consumer')
})

test('the topics of a group are those of its handlers', async () => {
  const Payments = defineTopic({ name: 'payment-events' })
  const Paid = defineEvent({ type: 'Paid', topic: Payments, schema, key: (paid) => paid.orderId })
  const { broker, consumerOf } = await setUp()
  const topics: string[] = []
  const consumer = consumerOf({
    source: {
      subscribe: (options) => {
        topics.push(...options.topics)
        return broker.subscribe({ ...options, topics: [topic.name] })
      },
    },
  })
  await consumer
    .on(Paid, () => {})
    .on(OrderPlaced, () => {})
    .on(OrderShipped, () => {})
    .start()
  expect(topics).toEqual(['order-events', 'payment-events'])
})
