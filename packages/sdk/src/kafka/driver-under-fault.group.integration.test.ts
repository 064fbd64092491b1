/** What plain kafkajs does when its group fails it, and what this driver does with the same fault. */
import { API_KEYS } from '@evtkit/local-stack'
import type { ConsumerCrashEvent } from 'kafkajs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { firstCopies, raw, readWithOurs, withFaultyBroker } from '../../../../test/faulty-broker.ts'

const broker = withFaultyBroker()

afterEach(() => {
  vi.restoreAllMocks()
})

const send = async (topic: string, ...values: string[]) => {
  await broker()
    .ours({ brokers: broker().server.brokers })
    .send(raw(topic, ...values))
}

const members = async (group: string) => {
  const { groups } = await broker().admin.describeGroups([group])
  return groups[0]?.members.length
}

describe('a heartbeat that is refused once, as while rights are changed', () => {
  const groupAuthorizationFailed = 30

  test('plain kafkajs stops for good, in a process that lives on', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    const consumer = broker().plainConsumer({ groupId: group })
    const crashes: ConsumerCrashEvent['payload'][] = []
    consumer.on('consumer.crash', ({ payload }) => crashes.push(payload))
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async () => {} })
    await eventually(async () => expect(await members(group)).toBe(1))
    const fault = broker().proxy.failResponse(API_KEYS.Heartbeat, groupAuthorizationFailed)
    await fault.whenFired()
    await eventually(() => expect(crashes.at(-1)).toMatchObject({ restart: false }))
    await eventually(async () => expect(await members(group)).toBe(0))
  })

  test('this driver says so, joins again by itself and goes on', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    const { values, statuses } = await readWithOurs(broker().ours(), { group, topics: [topic] })
    const fault = broker().proxy.failResponse(API_KEYS.Heartbeat, groupAuthorizationFailed)
    await fault.whenFired()
    await eventually(() =>
      expect(statuses).toContainEqual(
        expect.objectContaining({
          state: 'unavailable',
          error: expect.objectContaining({ code: 'EVT_BROKER_REFUSED' }),
        }),
      ),
    )
    await send(topic, 'after')
    await eventually(() => expect(values).toEqual(['after']))
    expect(statuses.at(-1)?.state).toBe('running')
  })
})

describe("the computer's clock is set back by an hour", () => {
  const setBack = () => {
    const now = Date.now.bind(Date)
    vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000)
  }

  test('plain kafkajs sends no heartbeats any more, and loses its partitions while its handler works', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, 'one')
    const consumer = broker().plainConsumer({ groupId: group, sessionTimeout: 1500 })
    let working = false
    let release = false
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ heartbeat }) => {
        working = true
        while (!release) {
          await heartbeat()
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      },
    })
    try {
      await eventually(() => expect(working).toBe(true))
      setBack()
      const beats = broker().proxy.requestCount(API_KEYS.Heartbeat)
      await eventually(async () => expect(await members(group)).toBe(0))
      // One may have been on its way.
      expect(broker().proxy.requestCount(API_KEYS.Heartbeat)).toBeLessThanOrEqual(beats + 1)
    } finally {
      // Otherwise the consumer could not be ended.
      release = true
    }
  })

  test('this driver notices, joins again under the new time and goes on', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    const { values, statuses } = await readWithOurs(broker().ours(), { group, topics: [topic] })
    await send(topic, 'before')
    await eventually(() => expect(values).toEqual(['before']))
    setBack()
    await eventually(() => expect(statuses.map(({ state }) => state)).toContain('unavailable'))
    await eventually(() => expect(statuses.at(-1)?.state).toBe('running'))
    await send(topic, 'after')
    await eventually(() => expect(firstCopies(values)).toEqual(['before', 'after']))
    const beats = broker().proxy.requestCount(API_KEYS.Heartbeat)
    await eventually(() => expect(broker().proxy.requestCount(API_KEYS.Heartbeat)).toBeGreaterThan(beats + 1))
  })

  test('set forward by an hour, it costs no membership and no record', async () => {
    const topic = await broker().topic()
    const { values, statuses } = await readWithOurs(broker().ours(), { group: `${topic}-group`, topics: [topic] })
    await send(topic, 'before')
    await eventually(() => expect(values).toEqual(['before']))
    const now = Date.now.bind(Date)
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000)
    await send(topic, 'after')
    await eventually(() => expect(firstCopies(values)).toEqual(['before', 'after']))
    expect(statuses.at(-1)?.state).toBe('running')
  })
})

describe('commits that fail while records flow', () => {
  const requestTimedOut = 7

  test('two members go on, and the offsets arrive when commits are answered again', async () => {
    const topic = await broker().topic(2)
    const group = `${topic}-group`
    const first = await readWithOurs(broker().ours(), { group, topics: [topic] })
    const second = await readWithOurs(broker().ours(), { group, topics: [topic] })
    const owned = () =>
      [first, second].map(({ statuses }) => {
        const last = statuses.at(-1)
        return last?.state === 'running' ? last.partitions.length : 0
      })
    await eventually(() => expect(owned()).toEqual([1, 1]))
    const fault = broker().proxy.failResponse(API_KEYS.OffsetCommit, requestTimedOut, {
      times: Number.POSITIVE_INFINITY,
    })
    const asked = () => broker().proxy.requestCount(API_KEYS.OffsetCommit)
    const before = asked()
    const sent: string[] = []
    for (let i = 0; i < 20; i++) {
      sent.push(`${i}`)
      await broker()
        .ours({ brokers: broker().server.brokers })
        .send([{ topic, key: Buffer.from(`${i}`), value: Buffer.from(`${i}`), headers: [] }])
    }
    const handled = () => firstCopies([...first.values, ...second.values]).sort()
    await eventually(() => expect(handled()).toEqual([...sent].sort()))
    await fault.whenFired(3)
    // Each record could have had one of its own.
    expect(asked() - before).toBeLessThan(20)
    fault.remove()
    await eventually(async () => {
      const [offsets] = await broker().admin.fetchOffsets({ groupId: group, topics: [topic] })
      const sum = offsets?.partitions.reduce((total, { offset }) => total + Number(offset), 0)
      expect(sum).toBe(20)
    })
    expect(owned()).toEqual([1, 1])
  })

  test('a commit whose answer is lost costs one of two members nothing but a repetition', async () => {
    const topic = await broker().topic(2)
    const group = `${topic}-group`
    const readings = [
      await readWithOurs(broker().ours({ clientId: 'first' }), { group, topics: [topic] }),
      await readWithOurs(broker().ours({ clientId: 'second' }), { group, topics: [topic] }),
    ]
    const fault = broker().proxy.dropResponse(API_KEYS.OffsetCommit, {
      match: ({ clientId }) => clientId === 'first',
    })
    const sent: string[] = []
    for (let i = 0; i < 20; i++) sent.push(`${i}`)
    await broker()
      .ours({ brokers: broker().server.brokers })
      .send(sent.map((value) => ({ topic, key: Buffer.from(value), value: Buffer.from(value), headers: [] })))
    await fault.whenFired()
    const handled = () => readings.flatMap(({ values }) => values)
    await eventually(() => expect(firstCopies(handled()).sort()).toEqual([...sent].sort()))
    await eventually(async () => {
      const [offsets] = await broker().admin.fetchOffsets({ groupId: group, topics: [topic] })
      expect(offsets?.partitions.reduce((total, { offset }) => total + Number(offset), 0)).toBe(20)
    })
  })
})

test('an answer to an administrator that is lost while the clock is set back is not waited for until the old time comes', async () => {
  const topic = await broker().topic()
  const kafka = broker().ours({ requestTimeoutMs: 200, connectionTimeoutMs: 200 })
  const fault = broker().proxy.dropResponse(API_KEYS.Metadata, { times: Number.POSITIVE_INFINITY })
  const asked = kafka.offsets(topic).catch((error: unknown) => error)
  await fault.whenFired()
  const now = Date.now.bind(Date)
  vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000)
  expect(await asked).toMatchObject({ code: 'EVT_BROKER_UNAVAILABLE' })
})

test('a topic that is made anew under a running group is read from its start, or named as a gap', async () => {
  const topic = await broker().topic()
  const { subscription, values, statuses } = await readWithOurs(broker().ours(), {
    ...{ group: `${topic}-group`, topics: [topic] },
  })
  await send(topic, 'a', 'b', 'c', 'd', 'e')
  await eventually(() => expect(values).toHaveLength(5))
  await broker().admin.deleteTopics({ topics: [topic] })
  await eventually(() => broker().admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true }))
  await eventually(() => send(topic, 'x', 'y'))
  await vi.waitFor(
    async () => {
      const gap = statuses.find(({ state }) => state === 'gap')
      if (gap !== undefined && 'error' in gap) {
        expect(gap.error).toMatchObject({ topic, partition: 0, committed: 5n, available: 0n })
        // A person has decided.
        await subscription.seek({ topic, partition: 0, offset: 0n })
      }
      expect(values.slice(5)).toEqual(['x', 'y'])
    },
    { timeout: 40_000, interval: 500 },
  )
})
