/** A member of a consumer group in a process of its own, to be killed. It writes down each event that it applies. */
import { createConsumer, defineEvent, defineTopic, silentLogger } from '@evtkit/sdk'
import { createInbox } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres } from '@evtkit/sdk/postgres'
import { z } from 'zod'

const { KAFKA_BROKERS = '', DATABASE_URL = '', TOPIC = '', GROUP = '', HANGS_FOR = '' } = process.env

const topic = defineTopic({ name: TOPIC, partitions: 1 })
const Stepped = defineEvent({
  type: 'Stepped',
  topic,
  schema: z.object({ key: z.string(), step: z.number() }),
  key: ({ key }) => key,
})

const kafka = createKafka({
  brokers: KAFKA_BROKERS.split(','),
  sessionTimeoutMs: 6000,
  heartbeatIntervalMs: 1000,
  commitIntervalMs: 50,
  logger: silentLogger,
})
const sql = createPostgres({ connectionString: DATABASE_URL })
const inbox = createInbox({ sql })
const consumer = createConsumer({ source: kafka, group: GROUP, logger: silentLogger, rejected: () => {} })
consumer.on(
  Stepped,
  inbox.once(async ({ eventId, data }, { tx }) => {
    if (`${data.key}${data.step}` === HANGS_FOR) await new Promise(() => {})
    await tx.query('insert into applied (event_id, key, step) values ($1, $2, $3)', [eventId, data.key, data.step])
  }),
)
process.once('SIGTERM', async () => {
  await consumer.close()
  await kafka.close()
  await sql.close()
})
await consumer.start()
