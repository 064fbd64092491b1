import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Consumer } from './consumer.ts'
import type { Context } from './context.ts'
import type { Handler } from './dispatch.ts'
import type { Envelope } from './envelope.ts'
import { defineEvent, type EventDefinition, type Fact, fact, type InputOf, type PublishingSchema } from './event.ts'
import type { Producer } from './producer.ts'
import { defineTopic } from './topic.ts'
import { upcast } from './upcast.ts'

declare const producer: Producer
declare const consumer: Consumer

const topic = defineTopic({ name: 'order-events' })
const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  topic,
  schema: z.object({ orderId: z.string(), lines: z.array(z.object({ sku: z.string(), quantity: z.number() })) }),
  key: (order) => order.orderId,
})

interface Order {
  orderId: string
  lines: { sku: string; quantity: number }[]
}

describe('defining', () => {
  test('the type and the data are inferred from the definition', () => {
    expectTypeOf(OrderPlaced).toEqualTypeOf<EventDefinition<'OrderPlaced', Order>>()
  })

  test('the key is computed from the data', () => {
    defineEvent({
      type: 'OrderPlaced',
      topic,
      schema: z.object({ orderId: z.string(), count: z.number() }),
      // @ts-expect-error a number is not a key
      key: (order) => order.count,
    })
    defineEvent({
      type: 'OrderPlaced',
      topic,
      schema: z.object({ orderId: z.string() }),
      // @ts-expect-error no such field
      key: (order) => order.id,
    })
  })

  test('a schema that does not read its own output is refused', () => {
    defineEvent({
      type: 'OrderPlaced',
      topic,
      // @ts-expect-error the output is a Date, the input a text
      schema: z.object({ orderId: z.string(), at: z.string().transform((text) => new Date(text)) }),
      key: () => 'k',
    })
  })

  test('a schema with a default reads its own output', () => {
    const Counted = defineEvent({
      type: 'Counted',
      topic,
      schema: z.object({ id: z.string(), count: z.number().default(1) }),
      key: (counted) => counted.id,
    })
    expectTypeOf(Counted).toEqualTypeOf<EventDefinition<'Counted', { id: string; count: number }>>()
  })

  test('any Standard Schema will do', () => {
    const schema = {} as StandardSchemaV1<{ id: string }>
    const Plain = defineEvent({ type: 'Plain', topic, schema, key: (plain) => plain.id })
    expectTypeOf(Plain).toEqualTypeOf<EventDefinition<'Plain', { id: string }>>()
  })

  test('a name is not a topic', () => {
    // @ts-expect-error a topic has partitions and a retention
    defineEvent({ type: 'OrderPlaced', topic: 'order-events', schema: z.object({}), key: () => 'k' })
  })
})

describe('publishing', () => {
  test('the envelope carries the type and the data', () => {
    expectTypeOf(producer.publish(OrderPlaced, { orderId: 'o-1', lines: [] })).resolves.toEqualTypeOf<
      Envelope<'OrderPlaced', Order>
    >()
  })

  test('a wrong payload does not compile', () => {
    // @ts-expect-error the id is text
    producer.publish(OrderPlaced, { orderId: 1, lines: [] })
    // @ts-expect-error the lines are missing
    producer.publish(OrderPlaced, { orderId: 'o-1' })
    // @ts-expect-error no such field
    producer.publish(OrderPlaced, { orderId: 'o-1', lines: [], note: 'x' })
    // @ts-expect-error a line has a quantity
    producer.publish(OrderPlaced, { orderId: 'o-1', lines: [{ sku: 's' }] })
    // @ts-expect-error a type is not a definition
    producer.publish('OrderPlaced', { orderId: 'o-1', lines: [] })
  })

  test('facts are checked one by one', () => {
    const Shipped = defineEvent({ type: 'Shipped', topic, schema: z.object({ id: z.string() }), key: (s) => s.id })
    producer.publishAll([fact(OrderPlaced, { orderId: 'o-1', lines: [] }), fact(Shipped, { id: 's-1' })])
    // @ts-expect-error the payload of another event
    fact(Shipped, { orderId: 'o-1', lines: [] })
    // @ts-expect-error nobody has checked the data against the event
    producer.publishAll([{ event: OrderPlaced, data: 42 }])
  })

  test('metadata is text', () => {
    // @ts-expect-error a number is not text
    producer.publish(OrderPlaced, { orderId: 'o-1', lines: [] }, { metadata: { count: 1 } })
  })
})

describe('a schema that completes what is published', () => {
  interface Parcel {
    readonly id: string
    readonly note: string | null
  }
  interface ParcelInput {
    readonly id: string
    readonly note?: string | null
  }
  const schema = {} as PublishingSchema<ParcelInput, Parcel>
  const Sent = defineEvent({ type: 'Sent', topic, schema, key: ({ id }) => id })

  test('lets a publisher leave out what it fills in', () => {
    expectTypeOf(Sent).toEqualTypeOf<EventDefinition<'Sent', Parcel, ParcelInput>>()
    expectTypeOf<InputOf<typeof Sent>>().toEqualTypeOf<ParcelInput>()
    expectTypeOf<InputOf<typeof OrderPlaced>>().toEqualTypeOf<Order>()
    expectTypeOf(producer.publish(Sent, { id: 'p-1' })).resolves.toEqualTypeOf<Envelope<'Sent', Parcel>>()
    producer.publish(Sent, { id: 'p-1', note: null })
    producer.publishAll([fact(Sent, { id: 'p-1' }), fact(OrderPlaced, { orderId: 'o-1', lines: [] })])
    expectTypeOf(fact(Sent, { id: 'p-1' })).toExtend<Fact>()
    // @ts-expect-error the id has no default
    producer.publish(Sent, { note: null })
    // @ts-expect-error a note is text
    fact(Sent, { id: 'p-1', note: 1 })
    // @ts-expect-error no such field
    producer.publish(Sent, { id: 'p-1', weight: 1 })
  })

  test('gives readers and the key all of it', () => {
    consumer.on(Sent, (event) => {
      expectTypeOf(event).toEqualTypeOf<Envelope<'Sent', Parcel>>()
    })
    const handler: Handler<'Sent', Parcel> = () => {}
    consumer.on(Sent, handler)
    defineEvent({ type: 'Sent', topic, schema, key: ({ note }) => note ?? '' })
  })

  test('is kept by an upcaster, which may leave the same out', () => {
    const Old = defineEvent({ type: 'Sent', topic, schema: z.object({ number: z.number() }), key: () => 'k' })
    const Both = upcast(Sent, Old, ({ number }) => ({ id: String(number) }))
    expectTypeOf(Both).toEqualTypeOf<EventDefinition<'Sent', Parcel, ParcelInput>>()
    // @ts-expect-error the id has no default
    upcast(Sent, Old, () => ({ note: null }))
    // @ts-expect-error a note is text
    upcast(Sent, Old, () => ({ id: 'p-1', note: 1 }))
  })

  test('is one of many where it does not matter which event it is', () => {
    const events: readonly EventDefinition[] = [Sent, OrderPlaced]
    const readers = <Type extends string, Data>(event: EventDefinition<Type, Data>, handler: Handler<Type, Data>) =>
      consumer.on(event, handler)
    readers(Sent, (event) => {
      expectTypeOf(event.data).toEqualTypeOf<Parcel>()
    })
    const publishers = <Type extends string, Data, Input>(event: EventDefinition<Type, Data, Input>, data: Input) =>
      producer.publish(event, data)
    publishers(Sent, { id: 'p-1' })
    for (const event of events) {
      // @ts-expect-error nothing is known of what it takes
      producer.publish(event, { id: 'p-1' })
    }
  })
})

test('an upcaster is taken at its word', () => {
  const shape = z.object({ reason: z.enum(['declined', 'other']), tags: z.array(z.string()) })
  const New = defineEvent({ type: 'Failed', version: 'v2', topic, schema: shape, key: () => 'k' })
  const Old = defineEvent({ type: 'Failed', topic, schema: z.object({ code: z.string() }), key: () => 'k' })
  const Both = upcast(New, Old, ({ code }) => ({ reason: code === 'declined' ? code : 'other', tags: [code] }))
  expectTypeOf(Both).toEqualTypeOf<typeof New>()
  // @ts-expect-error this reason is none
  upcast(New, Old, () => ({ reason: 'unknown', tags: [] }))
})

describe('handling', () => {
  test('the payload reaches the handler by inference alone', () => {
    consumer.on(OrderPlaced, (event, context) => {
      expectTypeOf(event).toEqualTypeOf<Envelope<'OrderPlaced', Order>>()
      expectTypeOf(event.eventType).toEqualTypeOf<'OrderPlaced'>()
      expectTypeOf(context).toEqualTypeOf<Context>()
    })
  })

  test('a field that the schema does not know does not compile', () => {
    consumer.on(OrderPlaced, (event) => {
      // @ts-expect-error no such field
      event.data.nope
    })
  })

  test('a fact cannot be changed', () => {
    consumer.on(OrderPlaced, (event) => {
      // @ts-expect-error read-only
      event.eventId = 'other'
    })
  })

  test('a handler returns nothing, now or later', () => {
    consumer.on(OrderPlaced, async () => {})
    // @ts-expect-error the result would go nowhere
    consumer.on(OrderPlaced, () => 1)
  })

  test('a handler of another event does not compile', () => {
    const onShipped: Handler<'Shipped', { id: string }> = () => {}
    // @ts-expect-error it expects other data
    consumer.on(OrderPlaced, onShipped)
  })

  test('a handler that needs more than the context must be wrapped', () => {
    const needsTransaction: Handler<'OrderPlaced', Order, { tx: object }> = () => {}
    // @ts-expect-error nobody passes it a transaction
    consumer.on(OrderPlaced, needsTransaction)
  })
})
