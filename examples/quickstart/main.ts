import { createConsumer, createProducer, defineEvent, defineTopic } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { z } from 'zod'

const OrderEvents = defineTopic({ name: 'hello-orders', partitions: 3 })
const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: OrderEvents,
  schema: z.object({ orderId: z.string(), total: z.number().int() }),
  key: (order) => order.orderId,
})

const broker = createMemoryBroker() // on Kafka: createKafka({ brokers: ['localhost:9092'] })
await broker.createTopics([OrderEvents])

const producer = createProducer({ sender: broker, source: 'order-service' })
const consumer = createConsumer({
  source: broker,
  group: 'hello-shipping',
  rejected: ({ error }) => console.error(error.message),
})
const shipped = new Promise<void>((resolve) => {
  consumer.on(OrderCreated, (event) => {
    console.log(`shipping ${event.data.orderId}, worth ${event.data.total} cents, asked for by ${event.source}`)
    resolve()
  })
})
await consumer.start()
await producer.publish(OrderCreated, { orderId: 'o-1', total: 4200 })

await shipped
await consumer.close()
await broker.close()
