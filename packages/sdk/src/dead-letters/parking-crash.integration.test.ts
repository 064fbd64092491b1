import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createProducer, defineEvent, defineTopic, fact, silentLogger } from '@evtkit/sdk'
import { inboxMigrations } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { migrate } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { createParking, deadLetterMigrations } from './index.ts'

const brokers = inject('kafkaBrokers').split(',')
const database = await freshDatabase()
const sql = database.connect()
const kafka = createKafka({ brokers, logger: silentLogger })
afterAll(() => kafka.close())
beforeAll(async () => {
  await migrate(sql, [inboxMigrations, deadLetterMigrations])
  await sql.query(
    'create table applied (position bigint generated always as identity, topic text, key text, step int, unique (topic, key, step))',
  )
})

// After all of them: they run at once.
const members = new Set<ChildProcess>()
afterAll(async () => {
  for (const member of members) await ended(member, 'SIGKILL')
})

function member(topic: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@evtkit/source',
      '--import',
      'tsx',
      fileURLToPath(new URL('./testing/parking-member.ts', import.meta.url)),
    ],
    {
      env: { ...process.env, ...env, KAFKA_BROKERS: brokers.join(), DATABASE_URL: database.url, TOPIC: topic },
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

const [keys, steps] = [4, 8]

/** Of every key each second step fails so often that it is parked. */
async function published(topic: string): Promise<void> {
  const Stepped = defineEvent({
    type: 'Stepped',
    topic: defineTopic({ name: topic, partitions: 1 }),
    schema: z.object({ key: z.string(), step: z.number(), failures: z.number() }),
    key: ({ key }) => key,
  })
  await kafka.createTopics([Stepped.topic])
  const producer = createProducer({ sender: kafka, source: 'test' })
  for (let step = 1; step <= steps; step++)
    await producer.publishAll(
      Array.from({ length: keys }, (_, i) => fact(Stepped, { key: `k${i}`, step, failures: step % 2 === 0 ? 5 : 0 })),
    )
}

async function appliedOf(topic: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const { rows } = await sql.query(
    'select key, array_agg(step order by position) as steps from applied where topic = $1 group by key',
    [topic],
  )
  // Safe: that is what is selected.
  return new Map(rows.map((row) => [row.key as string, row.steps as number[]]))
}

const everything = new Map(
  Array.from({ length: keys }, (_, i) => [`k${i}`, Array.from({ length: steps }, (_, step) => step + 1)]),
)

const patiently = { timeout: 100_000, interval: 100 }

describe('a consumer that dies', () => {
  test.concurrent.each([
    ['after an event was parked, before its offset moved', 'parking.took', [1]],
    ['after an event was parked behind others, before its offset moved', 'parking.followed', [1, 3]],
    ['after it claimed a key', 'parking.claimed', [1, 3]],
    ['after a parked event was handled, before it left the queue', 'parking.handled', [1, 3]],
    ['after a parked event left its queue', 'parking.finished', [1, 3]],
  ])(
    '%s, loses nothing, applies each event once and keeps the order of the keys',
    async (_when, failpoint, passings) => {
      const topic = `crash-${failpoint}-${process.pid}`
      await published(topic)
      for (const at of passings)
        expect(await ended(member(topic, { EVTKIT_FAILPOINTS: `${failpoint}=crash@${at}` }))).toBe('SIGKILL')
      const last = member(topic)
      await vi.waitFor(async () => expect(await appliedOf(topic)).toEqual(everything), patiently)
      const parking = createParking({ sql })
      await vi.waitFor(
        async () =>
          expect(await parking.stats(topic)).toMatchObject({ parkedKeys: 0, parkedEvents: 0, deadLetters: 0 }),
        patiently,
      )
      expect(await ended(last, 'SIGTERM')).toBe(0)
    },
    120_000,
  )

  test.concurrent('after an event was given up has one dead letter for it, and the rest goes on', async () => {
    const topic = `crash-dead-${process.pid}`
    await published(topic)
    const dies = { GIVES_UP: 'yes', EVTKIT_FAILPOINTS: 'deadLetters.stored=crash@1' }
    expect(await ended(member(topic, dies))).toBe('SIGKILL')
    const last = member(topic, { GIVES_UP: 'yes' })
    const oddSteps = new Map([...everything].map(([key, all]) => [key, all.filter((step) => step % 2 === 1)]))
    await vi.waitFor(async () => expect(await appliedOf(topic)).toEqual(oddSteps), patiently)
    const parking = createParking({ sql })
    await vi.waitFor(
      async () => expect(await parking.stats(topic)).toMatchObject({ parkedKeys: 0, deadLetters: (keys * steps) / 2 }),
      patiently,
    )
    expect(await ended(last, 'SIGTERM')).toBe(0)
  }, 120_000)
})
