import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createConsumer, createProducer, defineEvent, defineTopic, fact, silentLogger } from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { migrate } from '@evtkit/sdk/postgres'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { eventually } from '../eventually.ts'
import { freshDatabase } from '../fresh-database.ts'

const brokers = inject('kafkaBrokers').split(',')
const database = await freshDatabase()
const sql = database.connect()
const kafka = createKafka({ brokers, logger: silentLogger, commitIntervalMs: 50 })
afterAll(() => kafka.close())
beforeAll(async () => {
  await migrate(sql, [inboxMigrations])
  await sql.query(
    'create table applied (position bigint generated always as identity, event_id uuid, key text, step int)',
  )
})

const members = new Set<ChildProcess>()
// Not after each test: some of them run at once.
afterAll(async () => {
  for (const member of members) await ended(member, 'SIGKILL')
})

const schema = z.object({ key: z.string(), step: z.number() })
const steppedOf = (name: string) =>
  defineEvent({ type: 'Stepped', topic: defineTopic({ name, partitions: 1 }), schema, key: ({ key }) => key })

function member(topic: string, group: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--conditions=@evtkit/source', '--import', 'tsx', fileURLToPath(new URL('./member.ts', import.meta.url))],
    {
      env: {
        ...process.env,
        ...env,
        KAFKA_BROKERS: brokers.join(),
        DATABASE_URL: database.url,
        TOPIC: topic,
        GROUP: group,
      },
      stdio: 'ignore',
    },
  )
  members.add(child)
  child.once('exit', () => members.delete(child))
  return child
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit')
    if (signal !== undefined) child.kill(signal)
    await exit
  }
  return child.signalCode ?? child.exitCode
}

async function published(topic: string, keys: number, steps: number): Promise<void> {
  const Stepped = steppedOf(topic)
  await kafka.createTopics([Stepped.topic])
  const producer = createProducer({ sender: kafka, source: 'test' })
  for (let step = 1; step <= steps; step++)
    await producer.publishAll(Array.from({ length: keys }, (_, i) => fact(Stepped, { key: `${topic}-${i}`, step })))
}

const committed = async (topic: string, group: string) => (await kafka.committed(group, topic))[0]?.offset ?? 0n

/** Steps in the order they were applied, by key. */
async function appliedOf(topic: string): Promise<Map<string, number[]>> {
  const { rows } = await sql.query('select key, step from applied where key like $1 order by position', [`${topic}-%`])
  const byKey = new Map<string, number[]>()
  for (const { key, step } of rows) byKey.set(String(key), [...(byKey.get(String(key)) ?? []), Number(step)])
  return byKey
}

/** Like `eventually`, for what has to wait until the sessions of the dead have run out. */
const afterSessions = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 50_000, interval: 50 })

const upTo = (steps: number) => Array.from({ length: steps }, (_, i) => i + 1)

describe('a consumer that dies', () => {
  test.concurrent.each([
    ['before its event is noted', 'inbox.noted'],
    ['after its handler', 'inbox.handled'],
    ['between the commit of its transaction and that of its offset', 'inbox.committed'],
  ])('%s, again and again, applies each event once and in order', async (_when, failpoint) => {
    const topic = `dies-${failpoint}-${process.pid}`
    await published(topic, 5, 12)
    for (const at of [2, 4])
      expect(await ended(member(topic, topic, { EVTKIT_FAILPOINTS: `${failpoint}=crash@${at}` }))).toBe('SIGKILL')
    const last = member(topic, topic)
    await afterSessions(async () => expect(await committed(topic, topic)).toBe(60n))
    expect(await ended(last, 'SIGTERM')).toBe(0)
    const applied = await appliedOf(topic)
    expect(applied.size).toBe(5)
    for (const steps of applied.values()) expect(steps).toEqual(upTo(12))
  })

  test('while one event hangs and later ones have finished has that one again, and no offset beyond it', async () => {
    const topic = `hangs-${process.pid}`
    await published(topic, 4, 3)
    const first = member(topic, topic, { HANGS_FOR: `${topic}-12` })
    await eventually(async () =>
      expect([...(await appliedOf(topic)).values()].map(({ length }) => length).sort()).toEqual([1, 3, 3, 3]),
    )
    await ended(first, 'SIGKILL')
    expect(await committed(topic, topic)).toBeLessThanOrEqual(5n)
    const second = member(topic, topic)
    await afterSessions(async () => expect(await committed(topic, topic)).toBe(12n))
    for (const steps of (await appliedOf(topic)).values()) expect(steps).toEqual(upTo(3))
    expect(await ended(second, 'SIGTERM')).toBe(0)
  })
})

test('equal keys of different topics are different keys, whoever joins and leaves meanwhile', async () => {
  const names = ['a', 'b', 'c'].map((letter) => `alike-${letter}-${process.pid}`)
  const events = names.map((name) =>
    defineEvent({
      type: `Stepped${name[6]?.toUpperCase()}`,
      topic: defineTopic({ name, partitions: 2 }),
      schema,
      key: ({ key }) => key,
    }),
  )
  await kafka.createTopics(events.map(({ topic }) => topic))
  const group = `alike-${process.pid}`
  const seen: string[] = []
  const inbox = createInbox({ sql })
  const consumerOf = () => {
    const consumer = createConsumer({ source: kafka, group, rejected: () => {}, logger: silentLogger })
    for (const event of events)
      consumer.on(
        event,
        inbox.once(async ({ eventType, data: { key, step } }, { tx }) => {
          tx.onCommit(() => void seen.push(`${eventType}/${key}/${step}`))
        }),
      )
    return consumer
  }
  const stays = consumerOf()
  await stays.start()
  const producer = createProducer({ sender: kafka, source: 'test' })
  const keys = ['1', '2', '3', '4']
  const rounds = 8
  for (let round = 0; round < rounds; round++) {
    const passing = round % 2 === 1 ? consumerOf() : undefined
    const started = passing?.start()
    for (let i = 1; i <= 5; i++)
      await producer.publishAll(events.flatMap((event) => keys.map((key) => fact(event, { key, step: round * 5 + i }))))
    await started
    await passing?.close()
  }
  const total = rounds * 5 * keys.length * events.length
  await eventually(() => expect(seen).toHaveLength(total))
  for (const event of events)
    for (const key of keys) {
      const prefix = `${event.type}/${key}/`
      const steps = seen.filter((one) => one.startsWith(prefix)).map((one) => Number(one.slice(prefix.length)))
      expect(steps).toEqual(upTo(rounds * 5))
    }
  await stays.close()
})

test('holes in the offsets, left by transactions of another client, are no gap: lag ends at 0 and what was aborted is not seen', async () => {
  const Stepped = steppedOf(`holes-${process.pid}`)
  const topic = Stepped.topic.name
  await kafka.createTopics([Stepped.topic])
  const records: { key: string; value: string; headers: Record<string, Buffer> }[] = []
  const capture = createProducer({
    source: 'test',
    sender: {
      send: async (messages) => {
        for (const { key, value, headers } of messages)
          records.push({ key: String(key), value: String(value), headers: Object.fromEntries(headers) })
      },
    },
  })
  for (let step = 1; step <= 8; step++) await capture.publish(Stepped, { key: 'k', step })
  const other = new Kafka({ brokers, clientId: 'other', logLevel: logLevel.NOTHING })
  const producer = other.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const [i, record] of records.entries()) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [record] })
    if (i % 2 === 0) await transaction.commit()
    else await transaction.abort()
  }
  await producer.disconnect()
  const steps: number[] = []
  const consumer = createConsumer({ source: kafka, group: topic, rejected: () => {}, logger: silentLogger })
  consumer.on(Stepped, ({ data }) => void steps.push(data.step))
  await consumer.start()
  await eventually(() => expect(steps).toEqual([1, 3, 5, 7]))
  // Each transaction leaves a record and its marker; the last one was aborted and leaves nothing to commit behind.
  await eventually(async () => expect(await committed(topic, topic)).toBeGreaterThanOrEqual(13n))
  expect(consumer.health().ready).toBe(true)
  await consumer.close()
})
