import { setTimeout as pause } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { createConsumer, createProducer, defineEvent, defineTopic, silentLogger } from '@evtkit/sdk'
import { createDeadLetters, createParking, deadLetterMigrations } from '@evtkit/sdk/dead-letters'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { migrate } from '@evtkit/sdk/postgres'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { z } from 'zod'

const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: defineTopic({ name: 'hello-orders', partitions: 1 }),
  schema: z.object({ customer: z.string(), order: z.number(), city: z.string() }),
  key: ({ customer }) => customer,
})

const group = 'hello-shipping'
const broker = createMemoryBroker() // on Kafka: createKafka({ brokers: ['localhost:9092'] })
await broker.createTopics([OrderCreated.topic])
const sql = createPglite(new PGlite()) // on a server: createPostgres({ connectionString: 'postgres://…' })
await migrate(sql, [inboxMigrations, deadLetterMigrations])

const deadLetters = createDeadLetters({ sql })
const parking = createParking({ sql, retry: { initialMs: 50, attempts: 2 } }) // by default 20 attempts, from 10 seconds to 10 minutes apart
const consumer = createConsumer({
  source: broker,
  group,
  rejected: deadLetters.rejected,
  failed: parking,
  retry: { attempts: 1 }, // in place, before it is parked
  logger: silentLogger,
})
const cities = new Set(['Lima'])
const inbox = createInbox({ sql })
consumer.on(
  OrderCreated,
  inbox.once(async ({ data: { customer, order, city } }, { tx }) => {
    if (!cities.has(city)) throw new Error(`no carrier goes to ${city}`)
    tx.onCommit(() => console.log(`order ${order} of ${customer} goes to ${city}`))
  }),
  { afterGivingUp: 'stop' }, // or 'skip': the events behind it go on without it
)
await consumer.start()

const producer = createProducer({ sender: broker, source: 'hello' })
await producer.publish(OrderCreated, { customer: 'ana', order: 1, city: 'Oslo' })
await producer.publish(OrderCreated, { customer: 'ana', order: 2, city: 'Lima' })
await producer.publish(OrderCreated, { customer: 'bob', order: 3, city: 'Lima' })

while ((await parking.stats(group)).stoppedKeys === 0) await pause(20)
for (const { message, errorMessage, attemptCount } of await deadLetters.list({ group }))
  console.log(`an event of ${message.key} is dead after ${attemptCount} attempts: ${errorMessage}`)

cities.add('Oslo') // somebody mends it
const plan = await deadLetters.plan({ group, key: 'ana' })
console.log(`redriving ${plan.events.length} event, and ${plan.successors} behind it`)
await deadLetters.redrive(plan, { by: 'ines', reason: 'there is a carrier to Oslo now' })

while ((await parking.stats(group)).parkedKeys > 0) await pause(20)
await consumer.close()
await broker.close()
await sql.close()
