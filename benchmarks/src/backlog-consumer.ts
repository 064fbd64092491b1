/** Consumes a backlog with a handler that takes its time, for a while, and reports the memory of its process. */
import { setTimeout } from 'node:timers/promises'
import { createConsumer, silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { startMeasuring } from './cpu.ts'
import { defineOrderPlaced, defineOrderTopic } from './order-event.ts'

export interface BacklogReport {
  readonly messages: number
  readonly elapsedMs: number
  readonly cpuMicros: number
  /** Resident memory of this process, twice a second. Megabytes. */
  readonly rssMb: readonly number[]
}

const handlerMs = 2
const [, , brokers = '', topic = '', group = '', maxInFlightBytes = '', durationMs = ''] = process.argv

const kafka = createKafka({ brokers: brokers.split(',') })
const consumer = createConsumer({
  source: kafka,
  group,
  maxInFlightBytes: Number(maxInFlightBytes),
  rejected: ({ error }) => Promise.reject(error),
  logger: silentLogger,
})
let messages = 0
let first = () => {}
const begun = new Promise<void>((resolve) => {
  first = resolve
})
consumer.on(defineOrderPlaced(defineOrderTopic(topic)), async () => {
  first()
  await setTimeout(handlerMs)
  messages++
})
await consumer.start()
await begun
const measured = startMeasuring()
const rssMb: number[] = []
for (let waited = 0; waited < Number(durationMs); waited += 500) {
  await setTimeout(500)
  rssMb.push(process.memoryUsage().rss / 1e6)
}
const report: BacklogReport = { messages, rssMb, ...measured() }
process.send?.(report)
await consumer.close()
await kafka.close()
process.disconnect?.()
