/** Consuming a full topic from its beginning, against kafkajs `eachMessage` with its defaults. */
import { createConsumer, silentLogger, type TopicDefinition } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { CompressionTypes, type EachMessagePayload, type Kafka, Partitioners } from 'kafkajs'
import type { BenchmarkCase, Round, Sample, Suite } from '../case.ts'
import { startMeasuring } from '../cpu.ts'
import { defineOrderPlaced, defineOrderTopic, order } from '../order-event.ts'
import { recordBytes, recordOf } from '../order-record.ts'

const allRecords = 200_000
const batchRecords = 500

export const consumeSuite: Suite = {
  name: 'consume',
  async open(servers, scale) {
    const records = Math.ceil((allRecords * scale) / batchRecords) * batchRecords
    const topic = defineOrderTopic(`benchmark-consume-${process.pid}`)
    const OrderPlaced = defineOrderPlaced(topic)
    const kafkajs = await servers.kafkajs()
    const kafka = createKafka({ brokers: await servers.brokers() })
    await kafka.createTopics([topic])
    await fill(kafkajs, topic, OrderPlaced, records)
    const bytesPerMessage = recordBytes(await recordOf(OrderPlaced, order(0)))

    const peer = (eachMessage: (payload: EachMessagePayload) => void) => async (round: Round) => {
      const consumer = kafkajs.consumer({ groupId: groupOf('peer', round) })
      const progress = countRecords(records)
      await consumer.connect()
      await consumer.subscribe({ topics: [topic.name], fromBeginning: true })
      await consumer.run({
        eachMessage: async (payload) => {
          progress.start()
          eachMessage(payload)
          progress.finish()
        },
      })
      const sample = await progress.all
      await consumer.disconnect()
      return sample
    }

    const ours = (typed: boolean) => async (round: Round) => {
      const progress = countRecords(records)
      const consumer = createConsumer({
        source: kafka,
        group: groupOf('own', round),
        rejected: ({ error }) => progress.fail(error),
        logger: silentLogger,
      })
      if (!typed)
        consumer.use(() => {
          progress.start()
          progress.finish()
        })
      else
        consumer.use((_context, next) => {
          progress.start()
          return next()
        })
      consumer.on(OrderPlaced, () => progress.finish())
      await consumer.start()
      const sample = await progress.all
      await consumer.close()
      return sample
    }

    const undecoded: BenchmarkCase = {
      name: 'consume/undecoded',
      contenders: [
        { name: 'kafkajs eachMessage', bytesPerMessage, run: peer(() => {}) },
        { name: 'undecoded deliveries', bytesPerMessage, run: ours(false) },
      ],
      targets: [{ contender: 'undecoded deliveries', measure: 'ratio', atLeast: 1.2 }],
    }
    const decoded: BenchmarkCase = {
      name: 'consume/decoded',
      contenders: [
        {
          name: 'kafkajs eachMessage + JSON.parse',
          bytesPerMessage,
          run: peer(({ message }) => void JSON.parse(String(message.value))),
        },
        { name: 'typed handler', bytesPerMessage, run: ours(true) },
      ],
      targets: [{ contender: 'typed handler', measure: 'ratio', atLeast: 1 }],
    }
    return {
      cases: [undecoded, decoded],
      async close() {
        await kafka.deleteTopics([topic.name])
        await kafka.close()
      },
    }
  },
}

/** Writes the records once for all rounds, spread over the partitions in batches of one size. */
async function fill(
  kafkajs: Kafka,
  topic: TopicDefinition,
  event: ReturnType<typeof defineOrderPlaced>,
  records: number,
): Promise<void> {
  const producer = kafkajs.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  for (let first = 0; first < records; first += batchRecords) {
    const batch = await Promise.all(Array.from({ length: batchRecords }, (_, i) => recordOf(event, order(first + i))))
    await producer.send({
      topic: topic.name,
      acks: -1,
      compression: CompressionTypes.None,
      messages: batch.map(({ key, value, headers }) => ({
        key,
        value,
        headers: Object.fromEntries(headers),
        partition: (first / batchRecords) % topic.partitions,
      })),
    })
  }
  await producer.disconnect()
}

/** Counts from the first record handed over to the end of the last: joining the group is not measured. */
function countRecords(records: number) {
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
  return `benchmark-${who}-${process.pid}-${round.number}-${groups++}`
}
