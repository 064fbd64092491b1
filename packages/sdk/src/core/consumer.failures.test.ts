import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createMemoryBroker, type MemoryBroker } from '../memory/memory-broker.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { collectRejections } from '../testing/rejections.ts'
import { type Consumer, createConsumer } from './consumer.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import {
  BrokerUnavailableError,
  DatabaseUnavailableError,
  DependencyUnavailableError,
  InvalidEventError,
  RecordTooLargeError,
  SchemaNotMigratedError,
  SendFailedError,
} from './errors.ts'
import { defineEvent } from './event.ts'
import type { FailedEvent, FailedEvents, FailedEventsHost, FailedEventsMember } from './failed-events.ts'
import { remembersMs } from './handler-options.ts'
import { silentLogger } from './logger.ts'
import type { Delivery } from './message.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({ name: 'order-events', partitions: 1 })
const schema = z.object({ orderId: z.string(), step: z.number() })
const OrderPlaced = defineEvent({ type: 'OrderPlaced', topic, schema, key: (order) => order.orderId })

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function setUp() {
  const clock = createManualClock()
  const broker = createMemoryBroker({ logger: silentLogger, random: () => 0, clock })
  await broker.createTopics([topic])
  closing.push(() => broker.close())
  const rejections = collectRejections()
  const consumerOf = (options: Partial<ConsumerOptions> = {}): Consumer => {
    const consumer = createConsumer({
      ...{
        source: broker,
        group: 'shipping',
        rejected: rejections.handler,
        logger: silentLogger,
        random: () => 0,
        clock,
      },
      ...options,
    })
    closing.push(() => consumer.close().catch(() => {}))
    return consumer
  }
  const producer = createProducer({ sender: broker, source: 'order-service' })
  const publish = (...steps: string[]) =>
    Promise.all(
      steps.map((step) => producer.publish(OrderPlaced, { orderId: step.slice(0, 1), step: Number(step.slice(1)) })),
    )
  return { broker, clock, rejections, consumerOf, publish }
}

/** Somebody who takes failed events over and does as told with them. */
function takesOver(over: Partial<FailedEventsMember> = {}) {
  const taken: FailedEvent[] = []
  const followed: Delivery[] = []
  const behind = new Set<string>()
  let host: FailedEventsHost | undefined
  const failed: FailedEvents = {
    spanMs: 60_000,
    join(consumer) {
      host = consumer
      return {
        assigned: async () => {},
        isBehind: ({ message }) => behind.has(String(message.key)),
        follow: async (delivery) => {
          followed.push(delivery)
          return 'taken'
        },
        take: async (event) => {
          taken.push(event)
          behind.add(String(event.delivery.message.key))
          return 'taken'
        },
        close: async () => {},
        ...over,
      }
    },
  }
  return {
    failed,
    taken,
    followed,
    behind,
    host: () => {
      if (host === undefined) throw new Error('the consumer has not started')
      return host
    },
  }
}

const committed = async (broker: MemoryBroker) => (await broker.committed('shipping', topic.name))[0]?.offset

test('an event whose attempts are used up is taken over with all of them, and its partition goes on', async () => {
  const { broker, clock, consumerOf, publish } = await setUp()
  const keeper = takesOver()
  const seen: string[] = []
  const consumer = consumerOf({ failed: keeper.failed, retry: { attempts: 3, initialMs: 100 } }).on(
    OrderPlaced,
    ({ data }, { delivery }) => {
      seen.push(`${data.orderId}${data.step}#${delivery.attempt}`)
      if (data.orderId === 'a') throw Object.assign(new Error(`no ${delivery.attempt}`), { code: 'E_NO' })
    },
    { afterGivingUp: 'skip' },
  )
  await publish('a1', 'a2', 'b1')
  await consumer.start()
  await clock.advance(0)
  expect(seen).toContain('a1#1')
  expect(consumer.health().ready, 'it will be taken over, should it go on like this').toBe(true)
  await clock.advance(1000)
  expect(seen.filter((one) => one.startsWith('a'))).toEqual(['a1#1', 'a1#2', 'a1#3'])
  expect(seen).toContain('b1#1')
  expect(keeper.taken).toMatchObject([
    {
      delivery: { offset: 0n, attempt: 3 },
      final: false,
      afterGivingUp: 'skip',
      attempts: [
        { code: 'E_NO', message: 'no 1', stack: expect.stringContaining('at ') },
        { message: 'no 2' },
        { message: 'no 3' },
      ],
    },
  ])
  expect(keeper.followed.map(({ offset }) => offset)).toEqual([1n])
  expect(await committed(broker)).toBe(3n)
  expect(consumer.health().ready).toBe(true)
})

test('no attempt in place begins later than the policy allows', async () => {
  const { clock, consumerOf, publish } = await setUp()
  const keeper = takesOver()
  let calls = 0
  const retry = { attempts: 100, initialMs: 1000, maxMs: 1000, maxElapsedMs: 3500 }
  const consumer = consumerOf({ failed: keeper.failed, retry }).on(OrderPlaced, () => {
    calls++
    throw new Error('no')
  })
  await publish('a1')
  await consumer.start()
  await clock.advance(10_000)
  expect(calls).toBe(4)
  expect(keeper.taken).toHaveLength(1)
})

test.each([
  ['by its own word', new InvalidEventError('OrderShipped', []), {}],
  ['as what caused another', new Error('while publishing', { cause: new RecordTooLargeError('2 MB') }), {}],
  ['by its code', Object.assign(new Error('duplicate key'), { code: '23505' }), { final: ['23505'] }],
  ['by a predicate', new RangeError('out'), { final: [(error: unknown) => error instanceof RangeError] }],
])('an error that no attempt can mend is given up at the first one: %s', async (_how, error, retry) => {
  const { clock, consumerOf, publish } = await setUp()
  const keeper = takesOver()
  const consumer = consumerOf({ failed: keeper.failed }).on(
    OrderPlaced,
    () => {
      throw error
    },
    { retry },
  )
  await publish('a1')
  await consumer.start()
  await clock.advance(0)
  expect(keeper.taken).toMatchObject([{ final: true, afterGivingUp: 'stop', delivery: { attempt: 1 } }])
})

test('an event that cannot be taken over stays, and the offset with it', async () => {
  const { broker, clock, consumerOf, publish } = await setUp()
  let works = false
  const taken: FailedEvent[] = []
  const keeper = takesOver({
    take: async (event) => {
      if (!works) throw new Error('no table')
      taken.push(event)
      return 'taken'
    },
  })
  const consumer = consumerOf({ failed: keeper.failed, retry: { attempts: 1 } }).on(OrderPlaced, () => {
    throw new Error('no')
  })
  await publish('a1', 'a2')
  await consumer.start()
  await clock.advance(3000)
  expect(await committed(broker)).toBeUndefined()
  expect(consumer.health()).toMatchObject({
    ready: false,
    state: 'blocked',
    detail: expect.stringContaining('no table'),
  })
  works = true
  await clock.advance(60_000)
  expect(taken[0]?.delivery.offset).toBe(0n)
  expect(await committed(broker)).toBe(2n)
})

test('when nothing more can be kept the partition waits, and nothing is lost', async () => {
  const { broker, clock, consumerOf, publish } = await setUp()
  let isFull = true
  const keeper = takesOver({ follow: async () => (isFull ? 'full' : 'taken') })
  keeper.behind.add('a')
  const consumer = consumerOf({ failed: keeper.failed }).on(OrderPlaced, () => {})
  await publish('a1')
  await consumer.start()
  await clock.advance(5000)
  expect(consumer.health()).toMatchObject({ state: 'blocked', detail: expect.stringContaining('limit is reached') })
  expect(await committed(broker)).toBeUndefined()
  isFull = false
  await clock.advance(60_000)
  expect(await committed(broker)).toBe(1n)
})

test('an event whose key turns out to be free is handled at once, before the next of its key', async () => {
  const { clock, consumerOf, publish } = await setUp()
  const keeper = takesOver({
    follow: async () => {
      keeper.behind.clear()
      return 'free'
    },
  })
  keeper.behind.add('a')
  const seen: number[] = []
  const consumer = consumerOf({ failed: keeper.failed }).on(OrderPlaced, ({ data }) => void seen.push(data.step))
  await publish('a1', 'a2', 'a3')
  await consumer.start()
  await clock.advance(0)
  expect(seen).toEqual([1, 2, 3])
})

const outages: [string, string, unknown, object][] = [
  ['database', 'database', new DatabaseUnavailableError('gone'), {}],
  [
    'broker',
    'broker',
    new SendFailedError(
      new Map([
        [
          0,
          { message: { topic: 't', key: null, value: null, headers: [] }, error: new BrokerUnavailableError('gone') },
        ],
      ]),
      1,
    ),
    {},
  ],
  ['dependency by its own word', 'payment provider', new DependencyUnavailableError('payment provider', 'gone'), {}],
  [
    'dependency behind another error',
    'stock service',
    new Error('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
    { outages: { 'stock service': ['ECONNREFUSED'] } },
  ],
]

test.each(outages)(
  'an outage of a %s counts for nothing, pauses all, is probed and ends by itself',
  async (_what, part, error, retry) => {
    const { broker, clock, consumerOf, publish } = await setUp()
    const keeper = takesOver()
    const attempts: number[] = []
    let down = true
    const consumer = consumerOf({ failed: keeper.failed, retry: { attempts: 1, ...retry }, concurrency: 1 }).on(
      OrderPlaced,
      (_event, { delivery }) => {
        attempts.push(delivery.attempt)
        if (down) throw error
      },
    )
    await publish('a1', 'b1', 'c1')
    await consumer.start()
    await clock.advance(20_000)
    expect(consumer.health()).toMatchObject({ ready: false, state: 'outage' })
    expect(consumer.health().detail).toMatch(new RegExp(`^the ${part} is down since 2026-01-01T`))
    expect(attempts.length).toBeLessThan(12)
    expect(keeper.taken).toEqual([])
    expect(await committed(broker)).toBeUndefined()
    down = false
    await clock.advance(10_000)
    expect(await committed(broker)).toBe(3n)
    expect(new Set(attempts)).toEqual(new Set([1]))
    expect(consumer.health()).toEqual({ ready: true, state: 'running', detail: '' })
  },
)

test('while a part is down one event at a time probes it, however many wait', async () => {
  const { clock, consumerOf, publish } = await setUp()
  let running = 0
  let most = 0
  let calls = 0
  const consumer = consumerOf({ concurrency: 8 }).on(OrderPlaced, async () => {
    calls++
    most = calls > 8 ? Math.max(most, ++running) : most
    await new Promise(setImmediate)
    if (calls > 8) running--
    throw new DatabaseUnavailableError('gone')
  })
  await publish(...'abcdefgh'.split('').map((key) => `${key}1`))
  await consumer.start()
  await clock.advance(30_000)
  expect(most).toBe(1)
})

test('a probe that hangs tells that the part is still down', async () => {
  const { clock, consumerOf, publish } = await setUp()
  let calls = 0
  const keeper = takesOver()
  const consumer = consumerOf({ deadlineMs: 1000, failed: keeper.failed, retry: { attempts: 1 } }).on(
    OrderPlaced,
    async (_event, { signal }) => {
      calls++
      if (calls === 1) throw new DatabaseUnavailableError('gone')
      if (calls === 2) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      if (calls === 2) throw new Error('gave up')
    },
  )
  await publish('a1')
  await consumer.start()
  await clock.advance(1000)
  expect(calls).toBe(2)
  await clock.advance(500)
  expect(consumer.health()).toMatchObject({ state: 'outage', detail: expect.stringContaining('database') })
  await clock.advance(5000)
  expect(consumer.health().ready).toBe(true)
  expect(keeper.taken).toEqual([])
})

test('what was not set up is nobody’s failed event: its key waits, others go on', async () => {
  const { clock, consumerOf, publish } = await setUp()
  const keeper = takesOver()
  const seen: string[] = []
  const consumer = consumerOf({ failed: keeper.failed, retry: { attempts: 1 } }).on(OrderPlaced, ({ data }) => {
    if (data.orderId === 'a') throw new SchemaNotMigratedError('no table; run migrate')
    seen.push(`${data.orderId}${data.step}`)
  })
  await publish('a1', 'b1')
  await consumer.start()
  await clock.advance(30_000)
  expect(keeper.taken).toEqual([])
  expect(seen).toEqual(['b1'])
  expect(consumer.health()).toMatchObject({ state: 'blocked', detail: expect.stringContaining('run migrate') })
})

test('nothing of a partition is handled before it is known which of its keys wait', async () => {
  const { clock, consumerOf, publish } = await setUp()
  let known = false
  const keeper = takesOver({
    assigned: async () => {
      if (!known) throw new DatabaseUnavailableError('gone')
    },
  })
  const seen: number[] = []
  const consumer = consumerOf({ failed: keeper.failed }).on(OrderPlaced, ({ data }) => void seen.push(data.step))
  await publish('a1')
  await consumer.start()
  await clock.advance(3000)
  expect(seen).toEqual([])
  expect(consumer.health()).toMatchObject({ state: 'outage', detail: expect.stringContaining('database') })
  known = true
  await clock.advance(10_000)
  expect(seen).toEqual([1])
  expect(consumer.health().ready).toBe(true)
})

test('a handler that ignores its signal counts as lost after a second deadline, and its event is taken over', async () => {
  const { broker, clock, consumerOf, publish } = await setUp()
  const errors: string[] = []
  const keeper = takesOver()
  const consumer = consumerOf({
    deadlineMs: 1000,
    failed: keeper.failed,
    retry: { attempts: 2, initialMs: 10 },
    logger: { ...silentLogger, error: (_fields, message) => errors.push(message) },
  }).on(OrderPlaced, () => new Promise(() => {}))
  await publish('a1')
  await consumer.start()
  await clock.advance(6000)
  expect(errors.join()).toContain('a handler ignores its signal')
  expect(keeper.taken).toMatchObject([
    { attempts: [{ code: 'EVT_HANDLER_DEADLINE' }, { code: 'EVT_HANDLER_DEADLINE' }] },
  ])
  expect(await committed(broker)).toBe(1n)
})

test('a handler that ignores its signal is told of again and again where nobody takes its event over', async () => {
  const { clock, consumerOf, publish } = await setUp()
  const errors: string[] = []
  const logger = { ...silentLogger, error: (_fields: object, message: string) => errors.push(message) }
  const consumer = consumerOf({ deadlineMs: 1000, logger }).on(OrderPlaced, () => new Promise(() => {}))
  await publish('a1')
  await consumer.start()
  await clock.advance(5000)
  expect(errors.filter((message) => message.includes('the record waits for it')).length).toBeGreaterThan(1)
})

test('an event handed over again says what came of it, and an outage or a close says nothing about it', async () => {
  const { clock, consumerOf, publish } = await setUp()
  const keeper = takesOver()
  let thrown: unknown = new Error('no')
  const consumer = consumerOf({ failed: keeper.failed, retry: { attempts: 1 } }).on(OrderPlaced, () => {
    if (thrown !== undefined) throw thrown
  })
  await publish('a1')
  await consumer.start()
  await clock.advance(0)
  const delivery = keeper.taken[0]?.delivery
  if (delivery === undefined) throw new Error('nothing was taken')
  const again = () => keeper.host().run(delivery)

  expect(await again()).toMatchObject({
    result: 'failed',
    final: false,
    attempt: { message: 'no' },
    afterGivingUp: 'stop',
  })
  const unreadable = { ...delivery, message: { ...delivery.message, value: Buffer.from('{') } }
  expect(await keeper.host().run(unreadable)).toMatchObject({ result: 'failed', final: true, afterGivingUp: 'skip' })
  thrown = new DatabaseUnavailableError('gone')
  expect(await again()).toMatchObject({ result: 'postponed' })
  expect(await again(), 'the circuit is open').toMatchObject({ result: 'postponed' })
  thrown = undefined
  await clock.advance(1000)
  expect(await again(), 'it may be the probe').toEqual({ result: 'handled' })
  expect(consumer.health().ready).toBe(true)
  await consumer.close()
  expect(await again()).toMatchObject({ result: 'postponed' })
})

test('a retry span that is longer than the inbox remembers is refused at start', async () => {
  const { consumerOf } = await setUp()
  const handler = Object.assign(() => {}, { [remembersMs]: 60_000 })
  const consumer = consumerOf({ failed: takesOver().failed }).on(OrderPlaced, handler)
  await expect(consumer.start()).rejects.toThrow(/its inbox remembers for 60000 ms only/)
})

test.each([
  [{ attempts: 0 }, 'retry.attempts must be a whole number from 1 up'],
  [{ maxElapsedMs: -1 }, 'retry.maxElapsedMs must be a number of milliseconds above 0'],
  [{ initialMs: Number.NaN }, 'retry.initialMs'],
])('a policy that cannot work is refused: %o', async (retry, message) => {
  const { consumerOf } = await setUp()
  expect(() => consumerOf({ retry })).toThrow(message)
  expect(() => consumerOf().on(OrderPlaced, () => {}, { retry })).toThrow(message)
})
