/** Records of few and many keys in one partition, each with a little work that waits, against the ideal and kafkajs `eachMessage`. */
import { setImmediate, setTimeout } from 'node:timers/promises'
import { createConsumer, createProducer, defineTopic, fact, silentLogger, type TopicDefinition } from '@evtkit/sdk'
import { createKafka, type KafkaTransport } from '@evtkit/sdk/kafka'
import type { Kafka } from 'kafkajs'
import type { BenchmarkCase, Contender, Round, Sample, Suite } from '../case.ts'
import { startMeasuring } from '../cpu.ts'
import { idealMs } from '../ideal-time.ts'
import { defineOrderPlaced, order } from '../order-event.ts'

const allRecords = 10_000
const fewRecords = 1_000
const publishedAtOnce = 1_000
const keyCounts = [1, 2, 10, 100, 10_000]
/** The consumer's own default. */
const concurrency = 16

export const keysSuite: Suite = {
  name: 'keys',
  async open(servers, scale) {
    const records = Math.max(fewRecords, Math.round(allRecords * scale))
    const kafkajs = await servers.kafkajs()
    const kafka = createKafka({ brokers: await servers.brokers() })
    const topics = keyCounts.map((keys) =>
      defineTopic({ name: `benchmark-keys-${keys}-${process.pid}`, partitions: 1, retentionMs: 24 * 3_600_000 }),
    )
    await kafka.createTopics(topics)
    const cases: BenchmarkCase[] = []
    for (const [i, topic] of topics.entries()) {
      const keys = keyCounts[i] ?? 1
      await fill(kafka, topic, records, keys)
      cases.push(caseOf({ kafkajs, kafka, topic, records, keys }))
    }
    return {
      cases,
      async close() {
        await kafka.deleteTopics(topics.map(({ name }) => name))
        await kafka.close()
      },
    }
  },
}

interface World {
  readonly kafkajs: Kafka
  readonly kafka: KafkaTransport
  readonly topic: TopicDefinition
  readonly records: number
  readonly keys: number
}

function caseOf(world: World): BenchmarkCase {
  const { keys } = world
  const typed = 'typed handler'
  const peer = 'kafkajs eachMessage'
  // What it takes does not depend on the keys, and it takes long: once is enough.
  const others: [Contender, ...Contender[]] =
    keys === 100
      ? [
          { name: typed, run: (round) => consume(world, round) },
          { name: peer, run: (round) => consumeByPeer(world, round) },
        ]
      : [{ name: typed, run: (round) => consume(world, round) }]
  return {
    name: `keys/${keys}-key${keys === 1 ? '' : 's'}`,
    contenders: [{ name: 'ideal', run: (round) => ideal(world, round) }, ...others],
    targets: [
      { contender: typed, measure: 'ratio', atLeast: 0.84 },
      ...(keys === 100 ? [{ contender: typed, measure: 'ratio', to: peer, atLeast: 9 } as const] : []),
    ],
  }
}

/** How many records of the topic a round handles; a warm-up that would take half a minute is cut short. */
function countOf({ records, keys }: World, { number }: Round): number {
  return number === 0 && keys < 10 ? fewRecords : records
}

/** The work of the n-th record: 0 to 5 ms, the same for everybody. */
async function work(n: number): Promise<void> {
  // A multiplicative hash, so that the milliseconds follow no pattern of the keys.
  const ms = ((Math.imul(n + 1, 0x9e3779b1) >>> 8) % 6) | 0
  if (ms === 0) await setImmediate()
  else await setTimeout(ms)
}

/**
 * The same work without records and without waiting for its turn. Timers are never on time, so what each piece took is
 * measured, with as many at once as in the run it is compared with, and the shortest possible time follows from that.
 */
async function ideal(world: World, round: Round): Promise<Sample> {
  const count = countOf(world, round)
  const tookMs = new Float64Array(count)
  const measured = startMeasuring()
  let next = 0
  const worker = async () => {
    while (next < count) {
      const n = next++
      const startedAt = performance.now()
      await work(n)
      tookMs[n] = performance.now() - startedAt
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, world.keys) }, worker))
  const { cpuMicros } = measured()
  return { messages: count, cpuMicros, elapsedMs: idealMs(tookMs, world.keys, concurrency) }
}

async function consume(world: World, round: Round): Promise<Sample> {
  const { kafka, topic } = world
  const OrderPlaced = defineOrderPlaced(topic)
  const progress = countDown(countOf(world, round))
  const consumer = createConsumer({
    source: kafka,
    group: groupOf('own', round),
    concurrency,
    rejected: ({ error }) => progress.fail(error),
    logger: silentLogger,
  })
  consumer.on(OrderPlaced, async (_event, { delivery }) => {
    progress.start()
    await work(Number(delivery.offset))
    progress.finish()
  })
  await consumer.start()
  const sample = await progress.all
  await consumer.close()
  return sample
}

async function consumeByPeer(world: World, round: Round): Promise<Sample> {
  const consumer = world.kafkajs.consumer({ groupId: groupOf('peer', round) })
  // It takes one record after the other, as we do with one key.
  const progress = countDown(countOf({ ...world, keys: 1 }, round))
  await consumer.connect()
  await consumer.subscribe({ topics: [world.topic.name], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      progress.start()
      await work(Number(message.offset))
      progress.finish()
    },
  })
  const sample = await progress.all
  await consumer.disconnect()
  return sample
}

async function fill(kafka: KafkaTransport, topic: TopicDefinition, records: number, keys: number): Promise<void> {
  const OrderPlaced = defineOrderPlaced(topic)
  const producer = createProducer({ sender: kafka, source: 'benchmark' })
  for (let first = 0; first < records; first += publishedAtOnce) {
    const count = Math.min(publishedAtOnce, records - first)
    const facts = Array.from({ length: count }, (_, i) =>
      fact(OrderPlaced, { ...order(first + i), orderId: `order-${String((first + i) % keys).padStart(6, '0')}` }),
    )
    await producer.publishAll(facts)
  }
}

/** Counts from the first record handed over to the end of the last one wanted: joining the group is not measured. */
function countDown(records: number) {
  let left = records
  let measured: ReturnType<typeof startMeasuring> | undefined
  let done: (sample: Sample) => void
  let failed: (error: Error) => void
  const all = new Promise<Sample>((resolve, reject) => {
    done = resolve
    failed = reject
  })
  return {
    all,
    start() {
      measured ??= startMeasuring()
    },
    finish() {
      left--
      if (left === 0 && measured !== undefined) done({ messages: records, ...measured() })
    },
    fail(error: Error) {
      failed(error)
    },
  }
}

let groups = 0

function groupOf(who: string, round: Round): string {
  return `benchmark-keys-${who}-${process.pid}-${round.number}-${groups++}`
}
