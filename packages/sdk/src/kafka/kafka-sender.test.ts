import { expect, test } from 'vitest'
import {
  BrokerRefusedError,
  BrokerUnavailableError,
  type EvtError,
  RecordTooLargeError,
  SendFailedError,
  UnknownTopicError,
} from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { partitionOf } from '../core/murmur2.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import type { DriverProducer, PartitionAnswer, PartitionMessages } from './driver.ts'
import { KafkaSender } from './kafka-sender.ts'
import { PartitionCounts } from './partition-counts.ts'

type Answer = (chunks: readonly PartitionMessages[]) => Promise<readonly PartitionAnswer[]>

/** A broker that answers each request as it is told, and remembers what was asked of it. */
function stage(options: { topics?: Record<string, number>; deliveryTimeoutMs?: number; refusal?: EvtError } = {}) {
  const topics = new Map(Object.entries(options.topics ?? { t: 4 }))
  const clock = createManualClock()
  const requests: string[] = []
  const written: string[] = []
  const warnings: string[] = []
  let instances = 0
  let underWay = 0
  const answers: Answer[] = []
  const connecting: Promise<void>[] = []
  const write: Answer = async (chunks) => {
    for (const { messages } of chunks) for (const { value } of messages) written.push(String(value))
    return chunks.map(({ topic, partition }) => ({ topic, partition, errorCode: 0 }))
  }
  const producer = (): DriverProducer => {
    const id = ++instances
    let abandoned = false
    return {
      connect: () => connecting.shift() ?? Promise.resolve(),
      close: async () => {},
      abandon: () => {
        abandoned = true
      },
      async send(chunks) {
        expect(abandoned).toBe(false)
        expect(++underWay).toBe(1)
        requests.push(`${id}> ${chunks.map(({ messages }) => messages.map(({ value }) => value).join('')).join('|')}`)
        await new Promise(setImmediate)
        underWay--
        return (answers.shift() ?? write)(chunks)
      },
    }
  }
  const admin = {
    describeTopic: async (name: string) => {
      if (options.refusal !== undefined) throw options.refusal
      const partitions = topics.get(name)
      return partitions === undefined ? undefined : { name, partitions }
    },
  }
  const sender = new KafkaSender({
    driver: { producer },
    counts: new PartitionCounts(admin, clock, 30_000),
    clock,
    random: () => 0,
    logger: { ...silentLogger, warn: (_, text) => void warnings.push(text) },
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 30_000,
    maxRecordBytes: 1000,
  })
  const reject =
    (error: EvtError): Answer =>
    () =>
      Promise.reject(error)
  const writeAndReject =
    (error: EvtError): Answer =>
    async (chunks) => {
      await write(chunks)
      throw error
    }
  return { sender, clock, topics, requests, connecting, warnings, written, answers, write, reject, writeAndReject }
}

/** A key of each of four partitions. */
const keys = [0, 1, 2, 3].map((partition) => {
  for (let i = 0; ; i++) if (partitionOf(Buffer.from(`k${i}`), 4) === partition) return `k${i}`
})

const message = (value: string, partition = 0, topic = 't'): RawMessage => ({
  topic,
  key: Buffer.from(keys[partition] ?? ''),
  value: Buffer.from(value),
  headers: [],
})

const unavailable = new BrokerUnavailableError('away')

/** Waits for a send while time goes on by itself. */
async function settle(clock: ReturnType<typeof createManualClock>, work: Promise<void>): Promise<unknown> {
  let result: unknown = 'under way'
  void work.then(
    () => {
      result = 'sent'
    },
    (error: unknown) => {
      result = error
    },
  )
  for (let i = 0; i < 400 && result === 'under way'; i++) await clock.advance(100)
  return result
}

function failuresOf(error: unknown): [number, string][] {
  if (!(error instanceof SendFailedError)) throw new Error(`expected a SendFailedError, got ${String(error)}`)
  return [...error.failures].map(([i, failure]): [number, string] => [i, failure.error.code]).sort(([a], [b]) => a - b)
}

test('what is sent while a request is under way is the next request', async () => {
  const { sender, requests } = stage()
  await sender.send([message('warm')])
  const first = sender.send([message('a')])
  await new Promise(setImmediate)
  await Promise.all([first, sender.send([message('b')]), sender.send([message('c', 1), message('d')])])
  expect(requests).toEqual(['1> warm', '1> a', '1> bd|c'])
})

test('after a rejected send a new instance sends the same records before any other', async () => {
  const { sender, clock, requests, answers, writeAndReject } = stage()
  answers.push(writeAndReject(unavailable))
  const first = sender.send([message('a'), message('b')])
  await new Promise(setImmediate)
  const second = sender.send([message('c')])
  expect(
    await settle(
      clock,
      Promise.all([first, second]).then(() => {}),
    ),
  ).toBe('sent')
  expect(requests).toEqual(['1> ab', '2> ab', '2> c'])
})

test('after a failure each partition is sent alone, so that what is acknowledged is not repeated', async () => {
  const { sender, clock, requests, answers, reject, write } = stage()
  answers.push(reject(unavailable), write, reject(unavailable))
  const result = await settle(clock, sender.send([message('a', 0), message('b', 1), message('c', 2)]))
  expect(result).toBe('sent')
  expect(requests).toEqual(['1> a|b|c', '2> a', '2> b', '3> c', '3> b'])
})

test('a partition that the answer does not name is sent again', async () => {
  const { sender, clock, requests, answers } = stage()
  answers.push(async () => [{ topic: 't', partition: 0, errorCode: 0 }])
  expect(await settle(clock, sender.send([message('a', 0), message('b', 1)]))).toBe('sent')
  expect(requests).toEqual(['1> a|b', '2> a', '2> b'])
})

/** A broker that finds every request with an "X" in it too large. */
function refusingX(write: Answer): Answer {
  return async (chunks) => {
    if (chunks.some(({ messages }) => messages.some(({ value }) => String(value) === 'X')))
      throw new RecordTooLargeError('too large')
    return write(chunks)
  }
}

test('a record that is too large for its topic is found by halving, and all others are written in order', async () => {
  const { sender, clock, written, answers, write } = stage()
  answers.push(...Array.from({ length: 50 }, () => refusingX(write)))
  const batch = ['a', 'b', 'X', 'c', 'd', 'X', 'e']
  const sends = Promise.allSettled(
    [...batch.map((value) => message(value)), message('f', 1)].map((one) => sender.send([one])),
  )
  await settle(
    clock,
    sends.then(() => {}),
  )
  const failed = (await sends).flatMap((sent, i) => (sent.status === 'rejected' ? [[i, failuresOf(sent.reason)]] : []))
  expect(failed).toEqual([
    [2, [[0, 'EVT_RECORD_TOO_LARGE']]],
    [5, [[0, 'EVT_RECORD_TOO_LARGE']]],
  ])
  expect(written.filter((value) => value !== 'f')).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(written).toContain('f')
})

test('what follows a poison record of its key in the same call is held back, in whatever request it would have gone', async () => {
  const { sender, clock, written, answers, write } = stage()
  answers.push(...Array.from({ length: 50 }, () => refusingX(write)))
  const one = sender.send(['a', 'X', 'b', 'c'].map((value) => message(value)))
  const other = sender.send([message('d'), message('e', 1)])
  expect(failuresOf(await settle(clock, one))).toEqual([
    [1, 'EVT_RECORD_TOO_LARGE'],
    [2, 'EVT_HELD_BACK'],
    [3, 'EVT_HELD_BACK'],
  ])
  expect(await settle(clock, other)).toBe('sent')
  expect(written.toSorted()).toEqual(['a', 'd', 'e'])
})

test('a record larger than the limit never leaves', async () => {
  const { sender, requests } = stage()
  const error = await sender
    .send([message('a'), { ...message('', 1), value: Buffer.alloc(2000) }, message('b')])
    .catch((failure: unknown) => failure)
  expect(failuresOf(error)).toEqual([[1, 'EVT_RECORD_TOO_LARGE']])
  expect(String(error)).toContain('maxRecordBytes (1000)')
  expect(requests).toEqual(['1> ab'])
})

test('more than one batch of a partition goes in several requests, one after another', async () => {
  const { sender, requests } = stage()
  const big = (value: string) => message(value.repeat(400))
  await sender.send([big('a'), big('b'), big('c'), message('d', 1)])
  expect(requests.map((request) => request.replace(/(.)\1+/g, '$1'))).toEqual(['1> ab|d', '1> c'])
})

test('a topic that does not exist fails by name, whenever that turns out', async () => {
  const { sender, clock, topics, answers, reject, written } = stage({ topics: { t: 4, gone: 1 } })
  expect(failuresOf(await settle(clock, sender.send([message('a'), message('b', 0, 'never')])))).toEqual([
    [1, 'EVT_UNKNOWN_TOPIC'],
  ])
  await sender.send([message('c', 0, 'gone')])
  topics.delete('gone')
  answers.push(reject(new UnknownTopicError('gone')))
  const gone: Answer = () => Promise.reject(new UnknownTopicError('gone'))
  const some: Answer = async (chunks) => (chunks[0]?.topic === 'gone' ? gone(chunks) : stageWrite(chunks))
  const stageWrite: Answer = async (chunks) => {
    for (const { messages } of chunks) for (const { value } of messages) written.push(String(value))
    return chunks.map(({ topic, partition }) => ({ topic, partition, errorCode: 0 }))
  }
  answers.push(some, some)
  const error = await settle(clock, sender.send([message('d', 0, 'gone'), message('e')]))
  expect(failuresOf(error)).toEqual([[0, 'EVT_UNKNOWN_TOPIC']])
  expect(written).toEqual(['a', 'c', 'e'])
})

test('messages find their new partition when a topic was made anew with fewer', async () => {
  const { sender, clock, topics, answers, written } = stage()
  await sender.send([message('a', 3)])
  topics.set('t', 1)
  answers.push(async () => [])
  expect(await settle(clock, sender.send([message('b', 3)]))).toBe('sent')
  expect(written).toEqual(['a', 'b'])
})

test('an outage is waited out, and fails the sends with its reason when time is up', async () => {
  const { sender, clock, answers, reject, requests } = stage({ deliveryTimeoutMs: 5000 })
  answers.push(...Array.from({ length: 1000 }, () => reject(unavailable)))
  const error = await settle(clock, sender.send([message('a'), message('b', 1)]))
  expect(failuresOf(error)).toEqual([
    [0, 'EVT_BROKER_UNAVAILABLE'],
    [1, 'EVT_BROKER_UNAVAILABLE'],
  ])
  expect(error).toMatchObject({ retryable: true })
  expect(clock.monotonic()).toBeLessThan(6000)
  expect(requests.length).toBeGreaterThan(4)
  answers.length = 0
  expect(await settle(clock, sender.send([message('c')]))).toBe('sent')
})

test('a broker that was never there is told of at once, and is the reason when time is up', async () => {
  const refusal = new BrokerUnavailableError('the broker is not available: connect ECONNREFUSED 127.0.0.1:9')
  const { sender, clock, warnings } = stage({ deliveryTimeoutMs: 5000, refusal })
  const sent = sender.send([message('a')])
  await clock.advance(10)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain('ECONNREFUSED 127.0.0.1:9')
  const error = await settle(clock, sent)
  expect(failuresOf(error)).toEqual([[0, 'EVT_BROKER_UNAVAILABLE']])
  expect(String(error)).toContain('ECONNREFUSED 127.0.0.1:9')
  expect(warnings).toHaveLength(1)
})

test('a broker that does not answer before anything was sent has written nothing', async () => {
  const { sender, clock, connecting } = stage({ deliveryTimeoutMs: 5000 })
  connecting.push(new Promise(() => {}))
  const error = await settle(clock, sender.send([message('a')]))
  expect(failuresOf(error)).toEqual([[0, 'EVT_BROKER_UNAVAILABLE']])
  expect(String(error)).toContain('tried for 5000 ms; nothing was sent')
})

test('what was never tried alone is not blamed when time is up', async () => {
  const { sender, clock, answers } = stage({ deliveryTimeoutMs: 5000 })
  answers.push(async () => {
    Object.assign(clock, { monotonic: () => 6000 })
    throw new RecordTooLargeError('too large')
  })
  const error = await settle(clock, sender.send([message('a'), message('b')]))
  expect(failuresOf(error)).toEqual([
    [0, 'EVT_SEND_TIMEOUT'],
    [1, 'EVT_SEND_TIMEOUT'],
  ])
})

test('an answer that never comes ends with the delivery timeout', async () => {
  const { sender, clock, answers } = stage({ deliveryTimeoutMs: 5000 })
  answers.push(() => new Promise(() => {}))
  const error = await settle(clock, sender.send([message('a')]))
  expect(failuresOf(error)).toEqual([[0, 'EVT_SEND_TIMEOUT']])
})

test('calls that waited behind an outage are told at once when their own time is over', async () => {
  const { sender, clock, answers, reject, requests } = stage({ deliveryTimeoutMs: 5000 })
  answers.push(...Array.from({ length: 1000 }, () => reject(unavailable)))
  const first = sender.send([message('a')])
  await clock.advance(1000)
  const second = sender.send([message('b')])
  await settle(clock, first)
  const before = requests.length
  expect(failuresOf(await settle(clock, second))).toHaveLength(1)
  expect(clock.monotonic()).toBeLessThan(7000)
  expect(requests.slice(before).every((request) => request.endsWith('b'))).toBe(true)
})

test('a refusal is not repeated', async () => {
  const { sender, clock, answers, reject, requests } = stage()
  const refusal = reject(new BrokerRefusedError('not allowed'))
  answers.push(refusal, refusal)
  const error = await settle(clock, sender.send([message('a'), message('b')]))
  expect(failuresOf(error)).toEqual([
    [0, 'EVT_BROKER_REFUSED'],
    [1, 'EVT_BROKER_REFUSED'],
  ])
  expect(requests).toEqual(['1> ab'])
})

test.each([1.5, -1, Number.NaN, 1e300])('a message with the timestamp %d fails alone', async (timestamp) => {
  const { sender, clock, written } = stage()
  const error = await settle(clock, sender.send([message('a'), { ...message('X', 1), timestamp }, message('b', 2)]))
  expect(failuresOf(error)).toEqual([[1, 'EVT_RECORD_REFUSED']])
  expect(written).toEqual(['a', 'b'])
  expect(clock.monotonic()).toBeLessThan(1000)
})

test('a mistake of our own is no outage, and costs the message that shows it alone', async () => {
  const { sender, clock, written, answers, write } = stage()
  const picky: Answer = async (chunks) => {
    if (chunks.some(({ messages }) => messages.some(({ value }) => String(value) === 'X')))
      throw new RangeError('The number 1.5 cannot be converted to a BigInt')
    return write(chunks)
  }
  answers.push(...Array.from({ length: 20 }, () => picky))
  const error = await settle(clock, sender.send([message('a'), message('X', 1), message('b', 2)]))
  expect(failuresOf(error)).toEqual([[1, 'EVT_RECORD_REFUSED']])
  expect(written).toEqual(['a', 'b'])
})

test('messages without a key take turns over the partitions, and keep theirs when they are sent again', async () => {
  const { sender, clock, answers } = stage()
  const partitions: number[] = []
  const note =
    (then: Answer): Answer =>
    (chunks) => {
      for (const { partition } of chunks) partitions.push(partition)
      return then(chunks)
    }
  const written: Answer = async (chunks) => chunks.map(({ topic, partition }) => ({ topic, partition, errorCode: 0 }))
  answers.push(
    note(() => Promise.reject(unavailable)),
    note(written),
    note(written),
    note(written),
  )
  for (const value of ['a', 'b', 'c'])
    expect(await settle(clock, sender.send([{ ...message(value), key: null }]))).toBe('sent')
  expect(partitions[1]).toBe(partitions[0])
  expect(new Set(partitions).size).toBe(3)
})

test('closing waits for what was sent, and abandons it at its deadline', async () => {
  const { sender, clock, answers } = stage()
  answers.push(() => new Promise(() => {}))
  const sent = sender.send([message('a')])
  await new Promise(setImmediate)
  const closed = sender.close(1000).catch((error: unknown) => error)
  expect(failuresOf(await settle(clock, sent))).toEqual([[0, 'EVT_SEND_TIMEOUT']])
  expect(await closed).toMatchObject({ code: 'EVT_CLOSE_DEADLINE' })
  await expect(sender.send([message('b')])).rejects.toMatchObject({ code: 'EVT_CLOSED' })
  expect(clock.pending).toBe(0)
})
