/** A process with a consumer that parks: each step of a key is applied once, and `HARD` steps fail some times before that. */
import { createConsumer, defineEvent, defineTopic } from '@evtkit/sdk'
import { createParking } from '@evtkit/sdk/dead-letters'
import { createInbox } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres } from '@evtkit/sdk/postgres'
import { z } from 'zod'

const { KAFKA_BROKERS = '', DATABASE_URL, TOPIC = '', GIVES_UP } = process.env
const kafka = createKafka({
  brokers: KAFKA_BROKERS.split(','),
  commitIntervalMs: 50,
  sessionTimeoutMs: 6000,
  heartbeatIntervalMs: 500,
})
const sql = createPostgres({ connectionString: DATABASE_URL })
const Stepped = defineEvent({
  type: 'Stepped',
  topic: defineTopic({ name: TOPIC, partitions: 1 }),
  schema: z.object({ key: z.string(), step: z.number(), failures: z.number() }),
  key: ({ key }) => key,
})
const inbox = createInbox({ sql })
const consumer = createConsumer({
  source: kafka,
  group: TOPIC,
  rejected: ({ error }) => {
    throw error
  },
  // The lease is made of it, and what a crash left is taken up only after that.
  deadlineMs: 1000,
  retry: { attempts: 2, initialMs: 1, maxMs: 5 },
  failed: createParking({
    sql,
    retry: { initialMs: 10, maxMs: 50, attempts: GIVES_UP === undefined ? 1000 : 1 },
    pollMs: 50,
  }),
}).on(
  Stepped,
  inbox.once(async ({ data: { key, step, failures } }, { tx, delivery }) => {
    if (delivery.attempt <= failures) throw new Error(`${key} cannot take step ${step} yet`)
    await tx.query('insert into applied (topic, key, step) values ($1, $2, $3)', [TOPIC, key, step])
  }),
  { afterGivingUp: GIVES_UP === undefined ? 'stop' : 'skip' },
)
process.once('SIGTERM', async () => {
  await consumer.close()
  await kafka.close()
  await sql.close()
})
await consumer.start()
