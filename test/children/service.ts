/** A service on a real broker and database in a process of its own, whose handlers take as long as the test says. */
import { closeOnSignals, createConsumer, silentLogger } from '@evtkit/sdk'
import { createInbox } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres } from '@evtkit/sdk/postgres'
import { countedEvent } from '../counted-event.ts'

const { DATABASE_URL, KAFKA_BROKERS = '', TOPIC = '', GROUP = '', HANDLER_MS = '0', DEADLINE_MS = '5000' } = process.env

const logger = { ...silentLogger, error: (_: object, line: string) => console.log(line) }
const sql = createPostgres({ connectionString: DATABASE_URL, logger })
const broker = createKafka({
  brokers: KAFKA_BROKERS.split(','),
  sessionTimeoutMs: 10_000,
  heartbeatIntervalMs: 500,
  logger,
})
const inbox = createInbox({ sql, logger })
const consumer = createConsumer({ source: broker, group: GROUP, concurrency: 4, rejected: async () => {}, logger })
consumer.on(
  countedEvent(TOPIC),
  inbox.once<'Counted', { key: string; n: number }>(async ({ data }, { tx }) => {
    await tx.query('insert into counted (n) values ($1)', [data.n])
    console.log(`handling ${data.n}`)
    // Infinity never ends: a handler that hangs and ignores its signal.
    await new Promise<void>((resolve) => {
      if (Number.isFinite(Number(HANDLER_MS))) setTimeout(resolve, Number(HANDLER_MS))
    })
  }),
)

closeOnSignals({ consumer, broker, sql }, { deadlineMs: Number(DEADLINE_MS), logger })
console.log('starting')
try {
  await consumer.start()
  console.log('running')
} catch (error) {
  console.log(`start ended: ${(error as { code?: string }).code}`)
}
