import { createConsumer, createProducer, defineEvent, defineTopic, silentLogger } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { createRetryTopics, deadLetterTopic, openDeadLetterTopic, retryTopicDefinitions } from '@evtkit/sdk/retry'
import { z } from 'zod'

const OrderEvents = defineTopic({ name: 'hello-orders', partitions: 3 })
const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: OrderEvents,
  schema: z.object({ orderId: z.string(), city: z.string() }),
  key: (order) => order.orderId,
})

const group = 'hello-shipping'
const tiers = [100, 300] // in a service rather 5 seconds, 1 minute, 10 minutes
const broker = createMemoryBroker() // on Kafka: createKafka({ brokers: ['localhost:9092'] })
await broker.createTopics([OrderEvents, ...retryTopicDefinitions(group, tiers, { partitions: 3 })])

const cities = new Set(['Lima'])
const consumer = createConsumer({
  source: broker,
  group,
  rejected: deadLetterTopic({ sender: broker }),
  failed: createRetryTopics({ transport: broker, tiers }),
  retry: { attempts: 1 }, // in place; three times in all, with one attempt in each of the two tiers
  logger: silentLogger,
})
const shipped = new Promise<void>((resolve) => {
  consumer.on(OrderCreated, ({ data: { orderId, city } }, { delivery }) => {
    if (!cities.has(city)) throw new Error(`no carrier goes to ${city}`)
    console.log(`shipping ${orderId} to ${city}, at attempt ${delivery.attempt}`)
    if (city === 'Oslo') resolve()
  })
})
await consumer.start()

const producer = createProducer({ sender: broker, source: 'order-service' })
await producer.publish(OrderCreated, { orderId: 'o-1', city: 'Oslo' })
await producer.publish(OrderCreated, { orderId: 'o-2', city: 'Lima' })

const letters = await openDeadLetterTopic({ transport: broker, group, tiers })
while ((await letters.list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
for (const { message, attemptCount, attempts } of await letters.list())
  console.log(`${message.key} is a dead letter after ${attemptCount} attempts: ${attempts.at(-1)?.message}`)

cities.add('Oslo')
const who = { by: 'ana', reason: 'there is a carrier for Oslo now' }
const plan = await letters.plan({ errorCode: 'Error' }, who)
await letters.redrive(plan, who)

await shipped
await letters.close()
await consumer.close()
await broker.close()
