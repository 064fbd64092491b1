import { PGlite } from '@electric-sql/pglite'
import { createConsumer, createProducer, defineEvent, defineTopic } from '@evtkit/sdk'
import { createDeadLetters, createParking, deadLetterMigrations } from '@evtkit/sdk/dead-letters'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { createOutbox, createRelay, outboxMigrations } from '@evtkit/sdk/outbox'
import { migrate } from '@evtkit/sdk/postgres'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { z } from 'zod'

const OrderEvents = defineTopic({ name: 'hello-orders', partitions: 3 })
const StockEvents = defineTopic({ name: 'hello-stock', partitions: 3 })
const line = z.object({ sku: z.string(), quantity: z.number().int().positive() })
const order = z.object({ orderId: z.string(), lines: z.array(line) })
const OrderCreated = defineEvent({ type: 'OrderCreated', topic: OrderEvents, schema: order, key: (o) => o.orderId })
const InventoryReserved = defineEvent({
  type: 'InventoryReserved',
  topic: StockEvents,
  schema: order,
  key: (o) => o.orderId,
})

const broker = createMemoryBroker() // on Kafka: createKafka({ brokers: ['localhost:9092'] })
await broker.createTopics([OrderEvents, StockEvents])
const sql = createPglite(new PGlite()) // on a server: createPostgres({ connectionString: 'postgres://…' })
await migrate(sql, [outboxMigrations, inboxMigrations, deadLetterMigrations])
await sql.query(
  `create table stock (sku text primary key, reserved int not null); insert into stock values ('book', 0)`,
)

const outbox = createOutbox()
const relay = createRelay({ sql, sender: broker, outbox })
const inbox = createInbox({ sql })
const producer = createProducer({ sender: broker, source: 'inventory-service' })
const consumer = createConsumer({
  source: broker,
  group: 'hello-inventory',
  rejected: createDeadLetters({ sql }).rejected, // what cannot be read is kept with its bytes
  failed: createParking({ sql }), // an event that keeps failing waits with those of its key; the others go on
  catalogue: [OrderCreated, InventoryReserved], // known events without a handler here are skipped, others set aside
})

const reserved = new Promise<void>((resolve) => {
  consumer.on(
    OrderCreated,
    inbox.once(async (event, { tx }) => {
      for (const { sku, quantity } of event.data.lines)
        await tx.query('update stock set reserved = reserved + $1 where sku = $2', [quantity, sku])
      await producer.causedBy(event).through(outbox.in(tx)).publish(InventoryReserved, event.data)
    }),
  )
  consumer.on(InventoryReserved, (event) => {
    console.log(
      `reserved for ${event.data.orderId}, because of event ${event.causationId === null ? 'none' : 'OrderCreated'}`,
    )
    resolve()
  })
})
await relay.start()
await consumer.start()

await sql.transaction(async (tx) => {
  // your own rows go here; they and the event commit together or not at all
  await producer.through(outbox.in(tx)).publish(OrderCreated, { orderId: 'o-1', lines: [{ sku: 'book', quantity: 2 }] })
})

await reserved
await consumer.close()
await relay.close()
await broker.close()
await sql.close()
