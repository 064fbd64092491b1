import {
  type ConsumerOptions,
  createConsumer,
  createProducer,
  defineEvent,
  defineTopic,
  type Handler,
  type RawMessage,
  silentLogger,
} from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { migrate } from '@evtkit/sdk/postgres'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { createDeadLetters, createParking, deadLetterMigrations } from './index.ts'
import { seeded } from './testing/seeded.ts'

const brokers = inject('kafkaBrokers').split(',')
const database = await freshDatabase()
const sql = database.connect({ maxConnections: 20 })
const deadLetters = createDeadLetters({ sql })
const client = () =>
  createKafka({
    brokers,
    logger: silentLogger,
    commitIntervalMs: 50,
    sessionTimeoutMs: 6000,
    heartbeatIntervalMs: 500,
    fetchMaxWaitMs: 50,
  })
const kafka = client()
afterAll(() => kafka.close())
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
beforeAll(async () => {
  await migrate(sql, [deadLetterMigrations, inboxMigrations])
  await sql.query(
    'create table applied (id bigint generated always as identity, consumer_group text, key text, step int, primary key (consumer_group, key, step))',
  )
})

let topics = 0
function stepsOf(partitions: number) {
  const topic = defineTopic({ name: `dead-${process.pid}-${++topics}`, partitions })
  const schema = z.object({ key: z.string(), step: z.number() })
  const Stepped = defineEvent({ type: 'Stepped', topic, schema, key: ({ key }) => key })
  return { topic, Stepped }
}
type Steps = ReturnType<typeof stepsOf>
type StepHandler = Handler<'Stepped', { key: string; step: number }>

async function start({ Stepped }: Steps, group: string, handler: StepHandler, options: Partial<ConsumerOptions> = {}) {
  const own = client()
  const consumer = createConsumer({
    source: own,
    group,
    logger: silentLogger,
    rejected: deadLetters.rejected,
    retry: { attempts: 2, initialMs: 1, maxMs: 5 },
    failed: createParking({ sql, retry: { initialMs: 5, maxMs: 30, attempts: 3 }, pollMs: 50 }),
    ...options,
  }).on(Stepped, handler)
  await consumer.start()
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= consumer.close().finally(() => own.close())
    return stopped
  }
  closing.push(stop)
  return { consumer, stop }
}

const committed = async (group: string, { topic }: Steps) =>
  (await kafka.committed(group, topic.name)).reduce((sum, { offset }) => sum + Number(offset ?? 0), 0)

const who = { by: 'ines', reason: 'the bug is mended' }

describe('dead letters of a consumer on Kafka', () => {
  test('a redrive reaches the group that failed and no other', async () => {
    const steps = stepsOf(1)
    await kafka.createTopics([steps.topic])
    const [failing, healthy] = [`fails-${steps.topic.name}`, `well-${steps.topic.name}`]
    let mended = false
    const taken: number[] = []
    const others: number[] = []
    await start(steps, failing, ({ data: { step } }) => {
      if (step === 2 && !mended) throw new Error('a bug')
      taken.push(step)
    })
    await start(steps, healthy, ({ data: { step } }) => void others.push(step))
    const producer = createProducer({ sender: kafka, source: 'test' })
    for (const step of [1, 2, 3, 4]) await producer.publish(steps.Stepped, { key: 'a', step })
    await eventually(async () => expect(await createParking({ sql }).stats(failing)).toMatchObject({ stoppedKeys: 1 }))
    expect(taken).toEqual([1])
    mended = true
    await deadLetters.redrive({ group: failing, all: true }, who)
    await eventually(() => expect(taken).toEqual([1, 2, 3, 4]))
    await producer.publish(steps.Stepped, { key: 'a', step: 5 })
    await eventually(() => expect([taken.at(-1), others.at(-1)]).toEqual([5, 5]))
    expect(others).toEqual([1, 2, 3, 4, 5])
    expect(await kafka.committed(failing, steps.topic.name)).toMatchObject([{ offset: 5n }])
  })

  test('records that nobody can read stop nothing: each is one dead letter with its bytes, and the lag is 0', async () => {
    const steps = stepsOf(1)
    await kafka.createTopics([steps.topic])
    const group = `poison-${steps.topic.name}`
    const random = seeded(11)
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
    const envelope = (data: string) =>
      Buffer.from(
        `{"eventId":"0190a8f0-0000-7000-8000-000000000000","eventType":"Stepped","eventVersion":"v1","timestamp":"2026-01-01T00:00:00.000Z","source":"x","correlationId":"c","causationId":null,"metadata":{"__proto__":"x"},"data":${data}}`,
      )
    const unreadable: Omit<RawMessage, 'topic'>[] = [
      { key: Buffer.from('a'), value: bytes(100), headers: [] },
      { key: Buffer.from('a'), value: null, headers: [] },
      { key: null, value: bytes(1), headers: [] },
      { key: Buffer.alloc(3000, 1), value: Buffer.from(deep), headers: [] },
      { key: Buffer.from('a'), value: envelope(deep), headers: [] },
      { key: Buffer.from('a'), value: envelope('{"__proto__":{"key":"a","step":1}}'), headers: [] },
      {
        key: Buffer.alloc(0),
        value: Buffer.from('{}'),
        headers: [
          ['__proto__', bytes(10)],
          ['constructor', Buffer.alloc(0)],
          ['event-type', Buffer.alloc(2000, 0xff)],
          ['event-id', Buffer.from([0xff, 0xfe])],
          ['event-id', Buffer.from('twice')],
          ['correlation-id', Buffer.from('line\nbreak')],
        ],
      },
      { key: Buffer.from('a'), value: bytes(3), headers: [['event-type', Buffer.alloc(1024, 0xff)]] },
    ]
    const poison = unreadable.map((message) => ({ ...message, topic: steps.topic.name }))
    const taken: number[] = []
    const { consumer } = await start(steps, group, ({ data: { step } }) => void taken.push(step))
    const producer = createProducer({ sender: kafka, source: 'test' })
    for (const [step, message] of poison.entries()) {
      await kafka.send([message])
      await producer.publish(steps.Stepped, { key: 'a', step })
    }
    await eventually(() => expect(taken).toEqual(poison.map((_, step) => step)))
    await eventually(async () => expect(await committed(group, steps)).toBe(poison.length * 2))
    expect(consumer.health()).toMatchObject({ ready: true })
    const letters = (await deadLetters.list({ group })).toReversed()
    expect(letters.map(({ message: { key, value, headers } }) => ({ key, value, headers }))).toEqual(
      poison.map(({ key, value, headers }) => ({ key, value, headers })),
    )
    expect(Object.keys({})).toEqual([])
    // They can be redriven as often as anyone likes: none becomes two, and nothing loops.
    await deadLetters.redrive({ group, all: true }, { ...who, ratePerSecond: 10_000 })
    await eventually(async () => {
      const again = await deadLetters.list({ group })
      expect(again.map(({ redrives, attemptCount }) => [redrives, attemptCount])).toEqual(poison.map(() => [1, 2]))
    })
  })

  test('a dead letter that cannot be stored holds its offset; once it can, everything goes on', async () => {
    const steps = stepsOf(1)
    await kafka.createTopics([steps.topic])
    const group = `unstored-${steps.topic.name}`
    const taken: number[] = []
    const { consumer } = await start(steps, group, ({ data: { step } }) => void taken.push(step))
    const producer = createProducer({ sender: kafka, source: 'test' })
    await producer.publish(steps.Stepped, { key: 'a', step: 0 })
    await eventually(async () => expect(await committed(group, steps)).toBe(1))
    await sql.query('alter table evtkit_failed_events rename to elsewhere')
    try {
      await producer.publish(steps.Stepped, { key: 'a', step: 1 })
      await kafka.send([{ topic: steps.topic.name, key: Buffer.from('b'), value: Buffer.from('?'), headers: [] }])
      await producer.publish(steps.Stepped, { key: 'a', step: 2 })
      await eventually(() => expect(consumer.health().ready).toBe(false))
      await eventually(() => expect(taken).toEqual([0, 1, 2]))
      expect(await committed(group, steps)).toBeLessThanOrEqual(2)
    } finally {
      await sql.query('alter table elsewhere rename to evtkit_failed_events')
    }
    await eventually(async () => expect(await committed(group, steps)).toBe(4))
    expect(await deadLetters.list({ group })).toHaveLength(1)
    await eventually(() => expect(consumer.health()).toMatchObject({ ready: true }))
  })

  test('parked keys keep their order while members join and leave', { timeout: 120_000 }, async () => {
    const steps = stepsOf(4)
    await kafka.createTopics([steps.topic])
    const group = `moves-${steps.topic.name}`
    const random = seeded(12)
    const [keys, count] = [12, 25]
    const failures = new Map<string, number>()
    for (let key = 0; key < keys; key++)
      for (let step = 0; step < count; step++)
        if (random() < 0.1) failures.set(`${key}/${step}`, 1 + Math.floor(random() * 4))
    const inbox = createInbox({ sql, logger: silentLogger })
    const handler = inbox.once<'Stepped', { key: string; step: number }>(async ({ data: { key, step } }, { tx }) => {
      const left = failures.get(`${key}/${step}`) ?? 0
      failures.set(`${key}/${step}`, left - 1)
      if (left > 0) throw new Error('not yet')
      await tx.query('insert into applied (consumer_group, key, step) values ($1, $2, $3)', [group, key, step])
    })
    const failed = createParking({ sql, retry: { initialMs: 5, maxMs: 30, attempts: 1000 }, pollMs: 50 })
    const first = await start(steps, group, handler, { failed })
    const producer = createProducer({ sender: kafka, source: 'test' })
    for (let step = 0; step < count; step++) {
      await Promise.all(
        Array.from({ length: keys }, (_, key) => producer.publish(steps.Stepped, { key: String(key), step })),
      )
      if (step === 8) await start(steps, group, handler, { failed })
      if (step === 16) await first.stop()
    }
    const expected = Array.from({ length: count }, (_, step) => step)
    await eventually(async () => {
      const { rows } = await sql.query(
        'select key, array_agg(step order by id) as steps from applied where consumer_group = $1 group by key',
        [group],
      )
      expect(rows.map((row) => row.steps)).toEqual(Array.from({ length: keys }, () => expected))
    })
    await eventually(async () => expect(await committed(group, steps)).toBe(keys * count))
  })
})
