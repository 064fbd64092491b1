/** What parked keys cost the others: the same consumer with a thousand keys parked, and with none. */
import { setTimeout } from 'node:timers/promises'
import { createConsumer, createProducer, defineTopic, fact, silentLogger, type TopicDefinition } from '@evtkit/sdk'
import { createParking, deadLetterMigrations } from '@evtkit/sdk/dead-letters'
import { createKafka, type KafkaTransport } from '@evtkit/sdk/kafka'
import { createPostgres, migrate, type Sql } from '@evtkit/sdk/postgres'
import type { BenchmarkCase, Contender, Round, Sample, Suite } from '../case.ts'
import { startMeasuring } from '../cpu.ts'
import { defineOrderPlaced, order } from '../order-event.ts'

const allRecords = 100_000
const failingKeys = 1_000
const publishedAtOnce = 1_000

export const parkingSuite: Suite = {
  name: 'parking',
  async open(servers, scale) {
    const records = Math.ceil(allRecords * scale)
    const sql = createPostgres({ connectionString: await servers.databaseUrl(), maxConnections: 4 })
    await migrate(sql, [deadLetterMigrations])
    const kafka = createKafka({ brokers: await servers.brokers() })
    const topic = defineTopic({ name: `benchmark-parking-${process.pid}`, partitions: 1, retentionMs: 24 * 3_600_000 })
    await kafka.createTopics([topic])
    await fill(kafka, topic, records)
    const world: World = { sql, kafka, topic, records }
    const parkingCase: BenchmarkCase = {
      name: `parking/${failingKeys}-keys-parked`,
      contenders: [
        contender('none parked', world, { fails: false, parks: true }),
        contender('1,000 keys parked', world, { fails: true, parks: true }),
        contender('no parking at all', world, { fails: false, parks: false }),
      ],
      targets: [{ contender: '1,000 keys parked', measure: 'ratio', atLeast: 0.95 }],
    }
    return {
      cases: [parkingCase],
      async close() {
        await kafka.deleteTopics([topic.name])
        await kafka.close()
        await sql.close()
      },
    }
  },
}

interface World {
  readonly sql: Sql
  readonly kafka: KafkaTransport
  readonly topic: TopicDefinition
  /** Of other keys, behind one of each failing key. */
  readonly records: number
}

interface Settings {
  /** Whether the first records fail, each with a key of its own. */
  readonly fails: boolean
  /** Whether there is a parking. */
  readonly parks: boolean
}

function contender(name: string, world: World, settings: Settings): Contender {
  return { name, run: (round) => consume(world, settings, round) }
}

/** Measured is from when all that fails is parked to when all the others are handled. */
async function consume(
  { sql, kafka, topic, records }: World,
  { fails, parks }: Settings,
  round: Round,
): Promise<Sample> {
  await sql.query('truncate evtkit_failed_events, evtkit_waiting_keys cascade')
  const group = groupOf(round)
  // At rest: what an attempt costs is the handler's affair, and has nothing to do with how many keys wait.
  const parking = createParking({ sql, retry: { initialMs: 600_000 } })
  let open = () => {}
  // In one partition what comes first has the first places, so nothing that waits here keeps a failing record from its turn.
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let isOpen = false
  let left = records
  let settled = 0
  let done = () => {}
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const consumer = createConsumer({
    source: kafka,
    group,
    rejected: ({ error }) => Promise.reject(error),
    retry: { attempts: 1 },
    ...(parks && { failed: parking }),
    logger: silentLogger,
  })
  const finish = () => {
    left--
    if (left === 0) done()
  }
  consumer.on(defineOrderPlaced(topic), ({ data }) => {
    if (data.totalCents === 0) {
      if (fails) throw new Error('this order is always refused')
      settled++
      return undefined
    }
    if (isOpen) return finish()
    return opened.then(finish)
  })
  await consumer.start()
  while ((fails ? (await parking.stats(group)).parkedKeys : settled) < failingKeys) await setTimeout(20)
  isOpen = true
  const measured = startMeasuring()
  open()
  await all
  const { cpuMicros } = measured()
  // The handler waits for nothing, so on a computer of its own this takes as long as this process computes.
  const sample = { messages: records, cpuMicros, elapsedMs: cpuMicros / 1000 }
  await consumer.close()
  return sample
}

async function fill(kafka: KafkaTransport, topic: TopicDefinition, records: number): Promise<void> {
  const OrderPlaced = defineOrderPlaced(topic)
  const producer = createProducer({ sender: kafka, source: 'benchmark' })
  for (let first = 0; first < failingKeys; first += publishedAtOnce)
    await producer.publishAll(
      Array.from({ length: publishedAtOnce }, (_, i) =>
        fact(OrderPlaced, { ...order(first + i), orderId: `failing-${first + i}`, totalCents: 0 }),
      ),
    )
  for (let first = 0; first < records; first += publishedAtOnce)
    await producer.publishAll(
      Array.from({ length: Math.min(publishedAtOnce, records - first) }, (_, i) => fact(OrderPlaced, order(first + i))),
    )
}

let groups = 0

function groupOf(round: Round): string {
  return `benchmark-parking-${process.pid}-${round.number}-${groups++}`
}
