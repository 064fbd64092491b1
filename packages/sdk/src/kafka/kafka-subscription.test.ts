import { expect, test } from 'vitest'
import { BrokerUnavailableError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions } from '../core/transport.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import type { Driver, DriverConsumerOptions } from './driver.ts'
import { KafkaSubscription } from './kafka-subscription.ts'

/** A cluster with some topics, and consumers that join as they are told. */
function stage(options: Partial<SubscribeOptions> = {}) {
  const clock = createManualClock()
  const topics = new Map<string, number>()
  const statuses: SourceStatus[] = []
  const clients: DriverConsumerOptions[] = []
  let join: (client: DriverConsumerOptions) => Promise<void> = async (client) =>
    client.joined([{ topic: 'a', partition: 0 }])
  let away: Error | undefined
  const unused = () => Promise.reject(new Error('not used here'))
  const driver: Driver = {
    consumer: (client) => {
      clients.push(client)
      return {
        start: () => join(client),
        pause: () => {},
        resume: () => {},
        seek: () => {},
        close: async () => {},
        abandon: () => {},
      }
    },
    producer: () => {
      throw new Error('not used here')
    },
    admin: {
      describeTopic: async (name) => {
        if (away !== undefined) throw away
        const partitions = topics.get(name)
        return partitions === undefined ? undefined : { name, partitions }
      },
      listTopics: unused,
      describeCluster: unused,
      topicDetails: unused,
      growTopic: unused,
      configureTopic: unused,
      createTopics: unused,
      deleteTopics: unused,
      deleteRecords: unused,
      listGroups: unused,
      members: unused,
      committed: unused,
      setOffsets: unused,
      offsets: unused,
    },
  }
  const subscription = new KafkaSubscription(
    {
      group: 'g',
      topics: ['a', 'b', 'a'],
      stallMs: 5000,
      handle: async () => ({ next: 0n, retryInMs: 0 }),
      onStatus: (status) => void statuses.push(status),
      ...options,
    },
    {
      driver,
      clock,
      random: () => 0,
      logger: silentLogger,
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 3000,
      fetchMaxWaitMs: 250,
      commitIntervalMs: 1000,
      historyGap: 'stop',
      onClosed: () => {},
    },
  )
  return {
    ...{ subscription, clock, topics, statuses, clients },
    setAway: (error: Error | undefined) => {
      away = error
    },
    setJoin: (step: typeof join) => {
      join = step
    },
  }
}

test('missing topics are named at each attempt, until they are there', async () => {
  const { subscription, clock, topics, statuses, clients } = stage()
  const opened = subscription.open()
  await clock.advance(0)
  topics.set('a', 2)
  await clock.advance(200)
  expect(statuses).toMatchObject([
    { state: 'connecting', attempt: 1 },
    { state: 'connecting', attempt: 1, error: { code: 'EVT_UNKNOWN_TOPIC', topic: 'a", "b' } },
    { state: 'connecting', attempt: 2, error: { code: 'EVT_UNKNOWN_TOPIC', topic: 'b' } },
  ])
  topics.set('b', 3)
  await clock.advance(400)
  await opened
  expect(statuses.at(-1)).toMatchObject({ state: 'running', partitions: [{ topic: 'a', partition: 0 }] })
  expect(clients).toHaveLength(1)
  expect(clients[0]).toMatchObject({ topics: ['a', 'b'], concurrency: 5 })
  await subscription.close(1000)
  expect(clock.pending).toBe(0)
})

test('a broker that is away is tried again, more slowly each time', async () => {
  const { subscription, clock, topics, statuses, setAway } = stage()
  topics.set('a', 1).set('b', 1)
  setAway(new BrokerUnavailableError('away'))
  const opened = subscription.open()
  await clock.advance(200 + 400 + 800)
  expect(statuses.map((status) => ('attempt' in status ? status.attempt : 0))).toEqual([1, 1, 2, 3, 4])
  setAway(undefined)
  await clock.advance(1600)
  await opened
  await subscription.close(1000)
})

test('a consumer that crashed is replaced, under a higher generation', async () => {
  const { subscription, clock, topics, statuses, clients } = stage()
  topics.set('a', 1).set('b', 1)
  await subscription.open()
  clients[0]?.crashed(new BrokerUnavailableError('gone'))
  await clock.advance(200)
  expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'running', 'unavailable', 'running'])
  expect(clients).toHaveLength(2)
  await subscription.close(1000)
})

test('no new consumer begins while a handler of the old one runs', async () => {
  let finish = () => {}
  const { subscription, clock, topics, clients } = stage({
    handle: () =>
      new Promise((resolve) => {
        finish = () => resolve({ next: 1n, retryInMs: 0 })
      }),
  })
  topics.set('a', 1).set('b', 1)
  await subscription.open()
  void clients[0]?.handle({
    topic: 'a',
    partition: 0,
    deliveries: [
      {
        message: { topic: 'a', key: null, value: null, headers: [] },
        ...{ partition: 0, offset: 0n, group: 'g', attempt: 1, replay: null },
      },
    ],
    end: 1n,
    highWatermark: 1n,
    bytes: 0,
    isStale: () => false,
    advance: () => {},
    commit: async () => {},
    heartbeat: async () => {},
  })
  clients[0]?.crashed(new BrokerUnavailableError('gone'))
  await clock.advance(10_000)
  expect(clients).toHaveLength(1)
  finish()
  await clock.advance(200)
  expect(clients).toHaveLength(2)
  await subscription.close(1000)
})

test('the attempts end with their signal', async () => {
  const giveUp = new AbortController()
  const { subscription, clock } = stage({ signal: giveUp.signal })
  const opened = subscription.open()
  await clock.advance(0)
  const reason = new Error('enough')
  giveUp.abort(reason)
  await expect(opened).rejects.toBe(reason)
  await clock.advance(0)
  expect(clock.pending).toBe(0)
})

test('a subscription can be closed before it joined', async () => {
  const { subscription, clock, topics, setJoin } = stage()
  topics.set('a', 1).set('b', 1)
  setJoin(() => new Promise(() => {}))
  const opened = subscription.open().catch((error: unknown) => error)
  await clock.advance(0)
  const closed = subscription.close(1000)
  await clock.advance(1000)
  await closed
  expect(await opened).toMatchObject({ code: 'EVT_CLOSED' })
  expect(clock.pending).toBe(0)
})

test('what onStatus throws harms nothing', async () => {
  const { subscription, topics } = stage({
    onStatus: () => {
      throw new TypeError('Cannot read properties of undefined')
    },
  })
  topics.set('a', 1).set('b', 1)
  await subscription.open()
  await subscription.close(1000)
})

test('seeking needs a member in its group', async () => {
  const { subscription } = stage()
  const opened = subscription.open().catch((error: unknown) => error)
  await expect(subscription.seek({ topic: 'a', partition: 0, offset: 0n })).rejects.toMatchObject({
    code: 'EVT_CLOSED',
  })
  await subscription.close(1000)
  await opened
})
