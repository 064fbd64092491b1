/** How much memory a consumer needs that is far slower than what waits for it. Each run is a process of its own. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { defineTopic, type TopicDefinition } from '@evtkit/sdk'
import { createKafka, type KafkaTransport } from '@evtkit/sdk/kafka'
import type { BacklogReport } from '../backlog-consumer.ts'
import type { BenchmarkCase, Contender, Sample, Suite } from '../case.ts'
import { defineOrderPlaced, order } from '../order-event.ts'
import { recordBytes, recordOf } from '../order-record.ts'
import { median } from '../statistics.ts'

const mebibyte = 1024 * 1024
/** So many that a batch of each would be more than the smaller limits. */
const partitions = 48
const consumerPath = fileURLToPath(new URL('../backlog-consumer.ts', import.meta.url))

/** What waits, and how much of it may be in flight. */
interface Backlog {
  readonly name: string
  readonly records: number
  /** Bytes of the note in each order; the longer it is, the larger the record. */
  readonly noteBytes?: number
  readonly maxInFlightBytes: number
  readonly atMostMb: number
}

const backlogs: readonly Backlog[] = [
  { name: '10,000 waiting, 64 MiB allowed', records: 10_000, maxInFlightBytes: 64 * mebibyte, atMostMb: 450 },
  { name: '1,000,000 waiting, 64 MiB allowed', records: 1_000_000, maxInFlightBytes: 64 * mebibyte, atMostMb: 450 },
  { name: '1,000,000 waiting, 4 MiB allowed', records: 1_000_000, maxInFlightBytes: 4 * mebibyte, atMostMb: 250 },
  {
    ...{ name: '5,000 of 100 KB waiting, 16 MiB allowed', records: 5_000, noteBytes: 100_000 },
    ...{ maxInFlightBytes: 16 * mebibyte, atMostMb: 400 },
  },
]

export const backlogSuite: Suite = {
  name: 'backlog',
  async open(servers, scale) {
    const brokers = await servers.brokers()
    const kafka = createKafka({ brokers })
    const topics = new Map<string, TopicDefinition>()
    const contenders: Contender[] = []
    for (const backlog of backlogs) {
      const records = Math.ceil(backlog.records * scale)
      const name = `benchmark-backlog-${records}-${backlog.noteBytes ?? 0}-${process.pid}`
      let topic = topics.get(name)
      if (topic === undefined) {
        topic = defineTopic({ name, partitions, retentionMs: 24 * 3_600_000 })
        topics.set(name, topic)
        await kafka.createTopics([topic])
        await fill(kafka, topic, records, backlog.noteBytes)
      }
      contenders.push(await contenderOf(backlog, topic, brokers))
    }
    const [first, ...others] = contenders
    if (first === undefined) throw new Error('there is no backlog to measure')
    const backlogCase: BenchmarkCase = {
      name: 'backlog/slow-handler',
      contenders: [first, ...others],
      targets: backlogs.map(({ name, atMostMb }) => ({ contender: name, measure: 'peakMb', atMost: atMostMb })),
    }
    return {
      cases: [backlogCase],
      async close() {
        await kafka.deleteTopics([...topics.keys()])
        await kafka.close()
      },
    }
  },
}

async function contenderOf(backlog: Backlog, topic: TopicDefinition, brokers: readonly string[]): Promise<Contender> {
  const bytesPerMessage = recordBytes(await recordOf(defineOrderPlaced(topic), orderOf(0, backlog.noteBytes)))
  return {
    name: backlog.name,
    bytesPerMessage,
    run: ({ number, durationMs }) =>
      consume([
        brokers.join(','),
        topic.name,
        `${topic.name}-${number}-${backlog.maxInFlightBytes}`,
        String(backlog.maxInFlightBytes),
        // Memory takes its time to fill up; the warm-up has nothing to warm in a process that ends with it.
        String(number === 0 ? 1000 : durationMs * 5),
      ]),
  }
}

function consume(args: readonly string[]): Promise<Sample> {
  const child = fork(consumerPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise((resolve, reject) => {
    let report: BacklogReport | undefined
    // The other end sends nothing else.
    child.on('message', (message) => {
      report = message as BacklogReport
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (report === undefined) {
        reject(new Error(`the consumer of the backlog ended with ${code} and without a report`))
        return
      }
      const { messages, elapsedMs, cpuMicros, rssMb } = report
      process.stderr.write(`RSS in MB, twice a second: ${rssMb.map(Math.round).join(' ')}\n`)
      const settled = rssMb.slice(Math.floor(rssMb.length / 2))
      resolve({
        ...{ messages, elapsedMs, cpuMicros },
        memory: { plateauMb: median(settled), peakMb: Math.max(...rssMb) },
      })
    })
  })
}

const sentAtOnce = 500

async function fill(
  kafka: KafkaTransport,
  topic: TopicDefinition,
  records: number,
  noteBytes: number | undefined,
): Promise<void> {
  const event = defineOrderPlaced(topic)
  const atOnce = noteBytes === undefined ? sentAtOnce : 10
  // The same records again and again: what is in them does not matter here.
  const block = await Promise.all(Array.from({ length: sentAtOnce }, (_, n) => recordOf(event, orderOf(n, noteBytes))))
  for (let first = 0; first < records; first += atOnce * 8)
    await Promise.all(
      Array.from({ length: Math.min(8, Math.ceil((records - first) / atOnce)) }, (_, i) => {
        const from = (first + i * atOnce) % sentAtOnce
        return kafka.send(block.slice(from, from + Math.min(atOnce, records - first)))
      }),
    )
}

function orderOf(n: number, noteBytes: number | undefined) {
  const data = order(n)
  return noteBytes === undefined ? data : { ...data, note: 'x'.repeat(noteBytes) }
}
