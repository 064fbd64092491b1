/** Failed events wait in topics of a real Kafka, while the members of their group come and go. */
import { createConsumer, createProducer, defineEvent, defineTopic, silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createRetryTopics, deadLetterTopic, retryTopicDefinitions } from '@evtkit/sdk/retry'
import { afterAll, afterEach, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../../test/eventually.ts'

const run = crypto.randomUUID().slice(0, 8)
const schema = z.object({ orderId: z.string() })

const connect = () =>
  createKafka({
    brokers: inject('kafkaBrokers').split(','),
    logger: silentLogger,
    sessionTimeoutMs: 6000,
    heartbeatIntervalMs: 300,
    fetchMaxWaitMs: 100,
    commitIntervalMs: 100,
  })
const kafka = connect()
const made: string[] = []
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(async () => {
  await kafka.deleteTopics(made)
  await kafka.close()
})

async function stage(name: string, tiers: readonly number[], partitions = 2) {
  const group = `${name}-${run}`
  const topic = defineTopic({ name: `orders-${group}`, partitions })
  const OrderPlaced = defineEvent({ type: 'OrderPlaced', topic, schema, key: ({ orderId }) => orderId })
  const topics = [topic, ...retryTopicDefinitions(group, tiers, { partitions })]
  await kafka.createTopics(topics)
  made.push(...topics.map((one) => one.name))
  const start = async (handle: (orderId: string, attempt: number) => void) => {
    const client = connect()
    const consumer = createConsumer({
      source: client,
      group,
      rejected: deadLetterTopic({ sender: client }),
      failed: createRetryTopics({ transport: client, tiers }),
      retry: { attempts: 1 },
      logger: silentLogger,
    }).on(OrderPlaced, ({ data }, { delivery }) => handle(data.orderId, delivery.attempt))
    await consumer.start()
    let open = true
    const close = async () => {
      if (open) await consumer.close().then(() => client.close())
      open = false
    }
    closing.push(close)
    return { consumer, close }
  }
  const producer = createProducer({ sender: kafka, source: 'shop' })
  const lag = async () => {
    let left = 0n
    for (const { name } of topics.slice(0, -1)) {
      const committed = new Map((await kafka.committed(group, name)).map((one) => [one.partition, one.offset]))
      for (const { partition, low, high } of await kafka.offsets(name)) left += high - (committed.get(partition) ?? low)
    }
    return left
  }
  const dead = async () =>
    (await kafka.offsets(`${group}.dead-letters`)).reduce((sum, { low, high }) => sum + Number(high - low), 0)
  return { group, OrderPlaced, producer, start, lag, dead }
}

const ids = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

test('each event has its attempts, one per tier, and what fails in all of them is a dead letter', async () => {
  const { OrderPlaced, producer, start, lag, dead } = await stage('tiers', [300, 900])
  const attempts = new Map<string, number[]>()
  const { consumer } = await start((orderId, attempt) => {
    attempts.set(orderId, [...(attempts.get(orderId) ?? []), attempt])
    if (orderId.startsWith('never') || (orderId.startsWith('later') && attempt < 3)) throw new Error('not yet')
  })
  const good = ids(20, 'good')
  for (const orderId of [...ids(5, 'never'), ...good, ...ids(5, 'later')])
    await producer.publish(OrderPlaced, { orderId })
  await eventually(async () => {
    expect(await lag()).toBe(0n)
    expect(await dead()).toBe(5)
  })
  for (const orderId of good) expect(attempts.get(orderId)).toEqual([1])
  for (const orderId of [...ids(5, 'never'), ...ids(5, 'later')]) expect(attempts.get(orderId)).toEqual([1, 2, 3])
  expect(consumer.health()).toMatchObject({ ready: true })
})

test('members that come and go while events wait in each tier lose none, and every partition goes on', async () => {
  const { OrderPlaced, producer, start, lag, dead } = await stage('rolling', [1500, 3000])
  const handled: string[] = []
  const attempts: number[] = []
  const handle = (orderId: string, attempt: number) => {
    attempts.push(attempt)
    if (attempt < 3) throw new Error('not yet')
    handled.push(orderId)
  }
  let oldest = await start(handle)
  const orders = ids(12, 'o')
  for (const orderId of orders) await producer.publish(OrderPlaced, { orderId })
  for (const attempt of [1, 2]) {
    // All of them wait in this tier now, or begin to.
    await eventually(() => expect(attempts.filter((one) => one === attempt).length).toBeGreaterThanOrEqual(12))
    const next = await start(handle)
    await oldest.close()
    oldest = next
  }
  await eventually(async () => {
    expect([...new Set(handled)].sort()).toEqual([...orders].sort())
    expect(await lag()).toBe(0n)
  })
  // And once more through all of it, with nobody coming or going.
  await producer.publish(OrderPlaced, { orderId: 'last' })
  await eventually(async () => {
    expect(handled).toContain('last')
    expect(await lag()).toBe(0n)
  })
  expect(await dead()).toBe(0)
})

test('a member all of whose partitions wait stays in its group and is well', async () => {
  const { OrderPlaced, producer, start, lag } = await stage('patient', [5000], 1)
  const attempts: number[] = []
  const handle = (_orderId: string, attempt: number) => {
    attempts.push(attempt)
    if (attempt === 1) throw new Error('not yet')
  }
  // The waits are longer than a broker may be silent. Two partitions in all, so one of the two members has nothing but the partition that waits.
  const members = [await start(handle), await start(handle)]
  await eventually(() => {
    for (const { consumer } of members) expect(consumer.health().ready).toBe(true)
  })
  await producer.publish(OrderPlaced, { orderId: 'a' })
  await eventually(async () => {
    expect(attempts).toEqual([1])
    expect(await lag()).toBe(1n)
  })
  const unwell: string[] = []
  await eventually(() => {
    for (const { consumer } of members) unwell.push(consumer.health().detail)
    expect(attempts).toEqual([1, 2])
  })
  await eventually(async () => expect(await lag()).toBe(0n))
  expect(unwell.filter((detail) => detail !== '')).toEqual([])
})

test('a topic that is missing is named while the consumer waits for it', async () => {
  const { group, OrderPlaced, producer, start } = await stage('missing', [200])
  await kafka.deleteTopics([`${group}.dead-letters`])
  const handled: string[] = []
  const { consumer } = await start((orderId) => void handled.push(orderId))
  await producer.publish(OrderPlaced, { orderId: 'a' })
  await eventually(() => expect(consumer.health().detail).toContain(`"${group}.dead-letters". Create them`))
  expect(handled).toEqual([])
  await kafka.createTopics(retryTopicDefinitions(group, [200]))
  await eventually(() => expect(handled).toEqual(['a']))
})

test('a record too large for a retry topic keeps its offset where it is, and health says what to do', async () => {
  const { group, OrderPlaced, producer, start, lag } = await stage('large', [200])
  const { consumer } = await start(() => {
    throw new Error('not yet')
  })
  // A record may have 1,048,000 bytes; this one is just below, so that headers make it too large.
  await producer.publish(OrderPlaced, { orderId: 'x'.repeat(523_600) })
  await eventually(() =>
    expect(consumer.health().detail).toContain(`raise max.message.bytes of "${group}.retry.200ms"`),
  )
  expect(await lag()).toBe(1n)
})
