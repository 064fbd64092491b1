/** The programs of a new service, by path. */
export function sourceFiles(name: string): readonly (readonly [path: string, text: string])[] {
  const service = JSON.stringify(name.split('/').at(-1) ?? name).replaceAll('"', "'")
  return [
    ['src/producer.ts', producer(service)],
    ['src/consumer.ts', consumer],
    ['src/connection.ts', connection],
    ['src/main.ts', main],
    ['src/order-flow.test.ts', test],
  ]
}

const producer = (
  service: string,
): string => `import { type Codec, createProducer, type InputOf, type Sender } from '@evtkit/sdk'
import { OrderCreated } from './contracts/index.ts'

/** Takes orders, and says so. */
export function createOrders(options: { readonly sender: Sender; readonly codec?: Codec }) {
  const producer = createProducer({ source: ${service}, ...options })
  return {
    /** Resolves when the fact is durable. */
    async place(order: Omit<InputOf<typeof OrderCreated>, 'placedAt'>): Promise<void> {
      await producer.publish(OrderCreated, { ...order, placedAt: new Date() })
    },
  }
}
`

const consumer = `import { type Codec, createConsumer, type Source } from '@evtkit/sdk'
import { OrderCreated, type OrderCreatedData } from './contracts/index.ts'

/** Ships what was ordered. A record may come again after a crash, so \`ship\` must bear to be called twice. */
export function createShipping(options: {
  readonly source: Source
  readonly codec?: Codec
  readonly ship: (order: OrderCreatedData) => void | Promise<void>
}) {
  const { ship, ...rest } = options
  const consumer = createConsumer({
    ...rest,
    group: 'shipping',
    // What cannot be read ends here; store it where somebody looks, see @evtkit/sdk/dead-letters.
    rejected: ({ error }) => console.error(error.message),
  })
  consumer.on(OrderCreated, (event) => ship(event.data))
  return consumer
}
`

const connection = `import { type Codec, jsonCodec, type Transport } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { allEvents, allTopics } from './contracts/index.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The broker that KAFKA_BROKERS names, with all topics there; without it a broker inside this process. */
export async function connectBroker(env: Env = process.env): Promise<Transport> {
  if (!env.KAFKA_BROKERS) {
    const broker = createMemoryBroker()
    await broker.createTopics(allTopics)
    return broker
  }
  const { createKafka } = await import('@evtkit/sdk/kafka')
  const { verifyTopics } = await import('@evtkit/sdk/topics')
  const kafka = createKafka({ brokers: env.KAFKA_BROKERS.split(',') })
  await verifyTopics(kafka, allTopics)
  return kafka
}

/** Avro where SCHEMA_REGISTRY_URL names a registry that has our schemas, otherwise JSON. */
export async function chooseCodec(env: Env = process.env): Promise<Codec> {
  if (!env.SCHEMA_REGISTRY_URL) return jsonCodec
  const { createAvroCodec, createRegistryClient } = await import('@evtkit/sdk/registry')
  const codec = createAvroCodec({
    lookup: createRegistryClient({ url: env.SCHEMA_REGISTRY_URL }),
    events: allEvents,
  })
  await codec.prepare()
  return codec
}
`

const main = `import { randomUUID } from 'node:crypto'
import { chooseCodec, connectBroker } from './connection.ts'
import { createShipping } from './consumer.ts'
import { createOrders } from './producer.ts'

const broker = await connectBroker()
const codec = await chooseCodec()
const orderId = randomUUID()

let done = () => {}
const shipped = new Promise<void>((resolve) => {
  done = resolve
})
const shipping = createShipping({
  source: broker,
  codec,
  ship: (order) => {
    console.log(\`shipping \${order.orderId}, worth \${order.total / 100} \${order.currency}\`)
    if (order.orderId === orderId) done()
  },
})
await shipping.start()

await createOrders({ sender: broker, codec }).place({ orderId, email: 'ada@example.com', total: 4200, currency: 'EUR' })
console.log(\`placed \${orderId}\`)

await shipped
await shipping.close()
await broker.close()
`

const test = `import { createMemoryBroker } from '@evtkit/sdk/memory'
import { expect, test } from 'vitest'
import { createShipping } from './consumer.ts'
import { allTopics, type OrderCreatedData } from './contracts/index.ts'
import { createOrders } from './producer.ts'

test('an order that is placed is shipped', async () => {
  const broker = createMemoryBroker()
  await broker.createTopics(allTopics)
  const shipped: OrderCreatedData[] = []
  const shipping = createShipping({ source: broker, ship: (order) => void shipped.push(order) })
  await shipping.start()

  const order = { orderId: 'o-1', email: 'ada@example.com', total: 4200, currency: 'EUR' }
  await createOrders({ sender: broker }).place(order)

  await expect.poll(() => shipped).toMatchObject([{ ...order, placedAt: expect.any(Date) }])
  await shipping.close()
  await broker.close()
})
`
