/** What happens when answers get lost, connections break and the broker dies; its own log is the judge. */
import { API_KEYS, type KafkaServer, startKafka } from '@evtkit/local-stack'
import { Kafka as Client, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { RecordTooLargeError, SendFailedError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { partitionOf } from '../core/murmur2.ts'
import type { SourceStatus, SubscribeOptions } from '../core/transport.ts'
import type { KafkaOptions } from './kafka-options.ts'
import { createKafka, type KafkaTransport } from './kafka-transport.ts'

let broker: KafkaServer
let names = 0
const open: KafkaTransport[] = []

beforeAll(async () => {
  broker = await startKafka({
    proxy: true,
    progress: () => {},
    settings: {
      'group.min.session.timeout.ms': '500',
      // So that a killed broker comes back in seconds.
      'broker.session.timeout.ms': '1500',
      'broker.heartbeat.interval.ms': '300',
    },
  })
})

afterEach(async () => {
  proxy().heal()
  await Promise.allSettled(open.splice(0).map((kafka) => kafka.close(2000)))
})

afterAll(async () => {
  await broker?.stop()
})

function proxy() {
  if (broker.proxy === undefined) throw new Error('the broker was started without its proxy')
  return broker.proxy
}

function connect(options: Partial<KafkaOptions> = {}): KafkaTransport {
  const kafka = createKafka({
    brokers: broker.proxiedBrokers,
    logger: silentLogger,
    requestTimeoutMs: 500,
    sessionTimeoutMs: 2000,
    heartbeatIntervalMs: 200,
    fetchMaxWaitMs: 100,
    commitIntervalMs: 50,
    metadataMaxAgeMs: 1000,
    ...options,
  })
  open.push(kafka)
  return kafka
}

async function newTopic(partitions = 3): Promise<string> {
  const name = `faults-${++names}`
  await connect({ brokers: broker.brokers, requestTimeoutMs: 20_000 }).createTopics([
    { name, partitions, retentionMs: -1 },
  ])
  return name
}

const message = (topic: string, key: string, value: string): RawMessage => ({
  topic,
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: [['event-id', Buffer.from(value)]],
})

/** The first copies of each key's values, in the order of the log. */
async function firstCopies(topic: string): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>()
  for (const { key, value } of await broker.dump(topic)) {
    const values = keys.get(key ?? '') ?? []
    if (!values.includes(value ?? '')) values.push(value ?? '')
    keys.set(key ?? '', values)
  }
  return keys
}

interface Reading {
  readonly values: string[]
  readonly statuses: SourceStatus[]
  readonly states: () => string[]
}

async function read(kafka: KafkaTransport, topic: string, options: Partial<SubscribeOptions> = {}): Promise<Reading> {
  const values: string[] = []
  const statuses: SourceStatus[] = []
  await kafka.subscribe({
    group: `${topic}-group`,
    topics: [topic],
    stallMs: 10_000,
    onStatus: (status) => statuses.push(status),
    handle: async ({ deliveries, signal }) => {
      let next = deliveries[0]?.offset ?? 0n
      for (const delivery of deliveries) {
        if (signal.aborted) break
        values.push(delivery.message.value?.toString() ?? '')
        next = delivery.offset + 1n
      }
      return { next, retryInMs: 0 }
    },
    ...options,
  })
  return { values, statuses, states: () => statuses.map(({ state }) => state) }
}

const keys = ['a', 'b', 'c', 'd', 'e']

async function publishConcurrently(kafka: KafkaTransport, topic: string, callers: number, perCaller: number) {
  const sent = new Map<string, string[]>(keys.map((key) => [key, []]))
  let number = 0
  const callOne = async () => {
    for (let i = 0; i < perCaller; i++) {
      const key = keys[number % keys.length] ?? 'a'
      const value = `${key}${number++}`
      sent.get(key)?.push(value)
      await kafka.send([message(topic, key, value)])
    }
  }
  await Promise.all(Array.from({ length: callers }, callOne))
  return sent
}

for (const callers of [10, 64]) {
  for (const loss of ['dropped', 'cut off'] as const) {
    test(`${callers} callers lose nothing and keep the order of every key when answers are ${loss}`, async () => {
      const topic = await newTopic()
      const kafka = connect()
      await kafka.send([message(topic, 'warm', 'warm')])
      const fault =
        loss === 'dropped'
          ? proxy().dropResponse(API_KEYS.Produce, { times: 3 })
          : proxy().closeOnResponse(API_KEYS.Produce, { times: 3 })
      const sent = await publishConcurrently(kafka, topic, callers, 10)
      expect(fault.fired).toBe(3)
      const log = await firstCopies(topic)
      log.delete('warm')
      expect(log).toEqual(sent)
    })
  }
}

test('what follows a request that was given up is neither lost nor refused', async () => {
  const topic = await newTopic(1)
  const kafka = connect({ deliveryTimeoutMs: 1200 })
  await kafka.send([message(topic, 'k', 'warm')])
  // Every attempt is written and no answer arrives, until the sender has given up.
  const fault = proxy().dropResponse(API_KEYS.Produce, { times: Number.POSITIVE_INFINITY })
  const given = await kafka.send([message(topic, 'k', 'given up')]).catch((error: unknown) => error)
  expect(given).toBeInstanceOf(SendFailedError)
  expect(given).toMatchObject({ retryable: true })
  fault.remove()
  await kafka.send([message(topic, 'k', 'next')])
  await kafka.send([message(topic, 'k', 'two'), message(topic, 'k', 'three')])
  expect((await firstCopies(topic)).get('k')).toEqual(['warm', 'given up', 'next', 'two', 'three'])
})

test('sends fail by their deadline while the broker cannot be reached, and go on when it can', async () => {
  const topic = await newTopic(1)
  const kafka = connect({ deliveryTimeoutMs: 1000 })
  await kafka.send([message(topic, 'k', '0')])
  proxy().refuse()
  const failed = await Promise.allSettled([1, 2].map((i) => kafka.send([message(topic, 'k', `lost${i}`)])))
  for (const result of failed) expect(result).toMatchObject({ reason: { code: 'EVT_SEND_FAILED', retryable: true } })
  proxy().heal()
  await kafka.send([message(topic, 'k', '1')])
  expect((await firstCopies(topic)).get('k')).toEqual(['0', '1'])
})

test('records too large for their topic are named, and all around them are written in order', async () => {
  const topic = await newTopic(2)
  const client = new Client({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: topic, configEntries: [{ name: 'max.message.bytes', value: '20000' }] }],
  })
  await admin.disconnect()
  const kafka = connect()
  const large = new Set([7, 8, 31])
  const messages = Array.from({ length: 40 }, (_, i) => ({
    ...message(topic, keys[i % keys.length] ?? 'a', `${i}`),
    ...(large.has(i) ? { value: Buffer.alloc(30_000, 'x') } : {}),
  }))
  const sends = await Promise.allSettled(messages.map((one) => kafka.send([one])))
  const failed = new Map(sends.flatMap((sent, i) => (sent.status === 'rejected' ? [[i, sent.reason] as const] : [])))
  expect([...failed.keys()]).toEqual([...large])
  for (const error of failed.values()) {
    if (!(error instanceof SendFailedError)) throw new Error(`expected a SendFailedError, got ${String(error)}`)
    expect(error.failures.get(0)?.error).toBeInstanceOf(RecordTooLargeError)
  }
  const expected = new Map(
    keys.map((key, k) => [
      key,
      Array.from({ length: 8 }, (_, i) => i * 5 + k)
        .filter((i) => !large.has(i))
        .map(String),
    ]),
  )
  expect(await firstCopies(topic)).toEqual(expected)
})

test('a topic made anew with fewer partitions is sent to again', async () => {
  const topic = await newTopic(6)
  const kafka = connect()
  await kafka.send(keys.map((key) => message(topic, key, `${key}0`)))
  await kafka.deleteTopics([topic])
  await vi.waitFor(() => kafka.createTopics([{ name: topic, partitions: 1, retentionMs: -1 }]), { timeout: 10_000 })
  await vi.waitFor(() => kafka.send(keys.map((key) => message(topic, key, `${key}1`))), { timeout: 20_000 })
  expect(new Set((await broker.dump(topic)).map(({ value }) => value))).toEqual(new Set(keys.map((key) => `${key}1`)))
})

for (const loss of ['dropped', 'cut off'] as const) {
  test(`a commit whose answer is ${loss} stops nothing, and the offset arrives`, async () => {
    const topic = await newTopic(1)
    const kafka = connect()
    const reading = await read(kafka, topic)
    const fault =
      loss === 'dropped' ? proxy().dropResponse(API_KEYS.OffsetCommit) : proxy().closeOnResponse(API_KEYS.OffsetCommit)
    const values: string[] = []
    for (let i = 0; i < 20; i++) {
      values.push(`${i}`)
      await kafka.send([message(topic, 'k', `${i}`)])
    }
    await fault.whenFired()
    await vi.waitFor(() => expect([...new Set(reading.values)]).toEqual(values), { timeout: 20_000 })
    await vi.waitFor(
      async () => expect(await kafka.committed(`${topic}-group`, topic)).toEqual([{ partition: 0, offset: 20n }]),
      {
        timeout: 20_000,
        interval: 200,
      },
    )
  })
}

test('lost heartbeats stop what runs, and the records that were not finished come again', async () => {
  const topic = await newTopic(1)
  const kafka = connect()
  const stopped: boolean[] = []
  let calls = 0
  await kafka.send([message(topic, 'k', '0')])
  const reading = await read(kafka, topic, {
    handle: async ({ deliveries, signal }) => {
      calls++
      const first = deliveries[0]?.offset ?? 0n
      if (calls > 1) return { next: first + BigInt(deliveries.length), retryInMs: 0 }
      proxy().closeOnRequest(API_KEYS.Heartbeat)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      stopped.push(signal.aborted)
      return { next: first, retryInMs: 0 }
    },
  })
  await vi.waitFor(() => expect(calls).toBe(2), { timeout: 20_000 })
  expect(stopped).toEqual([true])
  expect(reading.states()).toContain('running')
})

test('a consumer whose broker falls silent says so, and says when it runs again', async () => {
  const topic = await newTopic(1)
  const kafka = connect()
  const reading = await read(kafka, topic)
  proxy().blackhole()
  await vi.waitFor(() => expect(reading.states()).toContain('unavailable'), { timeout: 20_000 })
  proxy().heal()
  await vi.waitFor(() => expect(reading.states().at(-1)).toBe('running'), { timeout: 20_000 })
  await kafka.send([message(topic, 'k', 'after')])
  await vi.waitFor(() => expect(reading.values).toEqual(['after']), { timeout: 20_000 })
})

test('a broker that is not there yet is waited for, with a status for each attempt', async () => {
  const topic = await newTopic(1)
  const kafka = connect()
  proxy().refuse()
  const statuses: SourceStatus[] = []
  const reading = read(kafka, topic, { onStatus: (status) => statuses.push(status) })
  await vi.waitFor(
    () =>
      expect(statuses.slice(0, 3)).toMatchObject([
        { state: 'connecting', attempt: 1 },
        { state: 'connecting', attempt: 1, error: { code: 'EVT_BROKER_UNAVAILABLE' } },
        { state: 'connecting', attempt: 2, error: { code: 'EVT_BROKER_UNAVAILABLE' } },
      ]),
    { timeout: 20_000 },
  )
  proxy().heal()
  await reading
  expect(statuses.at(-1)?.state).toBe('running')
})

test('closing while the broker is away ends in time and leaves nothing running', async () => {
  const topic = await newTopic(1)
  const kafka = connect()
  await read(kafka, topic)
  await kafka.send([message(topic, 'k', '0')])
  proxy().refuse()
  await kafka.close(10_000)
})

test('partitions added to a topic are read from their first record, and written to', async () => {
  const topic = await newTopic(1)
  const kafka = connect()
  const reading = await read(kafka, topic)
  await kafka.send([message(topic, 'a', 'before')])
  const client = new Client({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  await admin.disconnect()
  const values: string[] = ['before']
  await vi.waitFor(
    async () => {
      for (const key of keys) {
        values.push(`${key}${values.length}`)
        await kafka.send([message(topic, key, values.at(-1) ?? '')])
      }
      const partitions = new Set((await broker.dump(topic)).map(({ partition }) => partition))
      expect(partitions.size).toBeGreaterThan(1)
    },
    { timeout: 20_000, interval: 500 },
  )
  await vi.waitFor(() => expect([...reading.values].sort()).toEqual([...values].sort()), { timeout: 20_000 })
})

test('a slow batch of one partition does not hold up the others', async () => {
  const topic = await newTopic(2)
  const kafka = connect()
  const others: string[] = []
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let slow: number | undefined
  await kafka.send([message(topic, 'a', 'first')])
  await read(kafka, topic, {
    handle: async ({ deliveries, partition }) => {
      slow ??= partition
      if (partition === slow) await gate
      else others.push(...deliveries.map((delivery) => String(delivery.message.value)))
      return { next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 }
    },
  })
  await vi.waitFor(() => expect(slow).toBeDefined(), { timeout: 20_000 })
  const sent: string[] = []
  for (const key of [...'abcdefgh']) {
    await kafka.send([message(topic, key, key)])
    if (partitionOf(Buffer.from(key), 2) !== slow) sent.push(key)
  }
  await vi.waitFor(() => expect(others).toEqual(sent), { timeout: 20_000 })
  release()
})

test('sends and consuming outlive a broker that is killed and comes back', async () => {
  const topic = await newTopic(3)
  const kafka = connect({ deliveryTimeoutMs: 60_000 })
  const reading = await read(kafka, topic)
  const before = await publishConcurrently(kafka, topic, 5, 4)
  await broker.kill('SIGKILL')
  const during = publishConcurrently(kafka, topic, 5, 4)
  await broker.restart()
  await during
  const all = new Set([...before.values(), ...(await during).values()].flat())
  await vi.waitFor(() => expect(new Set(reading.values)).toEqual(all), { timeout: 30_000 })
  expect(new Set((await broker.dump(topic)).map(({ value }) => value))).toEqual(all)
})
