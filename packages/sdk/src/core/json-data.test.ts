import { expect, test } from 'vitest'
import { z } from 'zod'
import { createRecordingSender } from '../testing/recording-sender.ts'
import { jsonCodec } from './codec.ts'
import { InvalidEventError } from './errors.ts'
import { defineEvent, validate } from './event.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({ name: 'order-events' })

function publish<Schema extends z.ZodType>(field: Schema, value: unknown) {
  const sender = createRecordingSender()
  const schema = z.object({ order: z.object({ field }) })
  // The compiler cannot know that a schema in general reads its own output; that is what is tried here.
  const Placed = defineEvent({ type: 'Placed', topic, schema: schema as unknown as z.ZodType<object>, key: () => 'k' })
  const published = createProducer({ sender, source: 'order-service' }).publish(Placed, { order: { field: value } })
  return { sender, Placed, published }
}

class Money {
  readonly cents = 5
}

const circular: { self?: unknown } = {}
circular.self = circular

test.each([
  ['a Date', z.date(), new Date(0), 'data.order.field: a Date, which JSON would turn into text; use z.coerce.date()'],
  ['a Map', z.map(z.string(), z.number()), new Map([['a', 1]]), 'data.order.field: a value of class Map'],
  ['a Set', z.set(z.string()), new Set(['a']), 'data.order.field: a value of class Set'],
  ['NaN', z.nan(), Number.NaN, 'data.order.field: NaN'],
  ['NaN where null would do', z.nan().nullable(), Number.NaN, 'data.order.field: NaN or an infinite number'],
  ['a class instance', z.instanceof(Money), new Money(), 'data.order.field: a value of class Money'],
  [
    'a bigint',
    z.bigint(),
    5n,
    'data.order.field: a bigint, which JSON would turn into text that the definition refuses',
  ],
  [
    'undefined in a list',
    z.array(z.string().optional()),
    ['a', undefined],
    'data.order.field.1: a value of type undefined',
  ],
  ['an object that holds itself', z.unknown(), circular, 'circular'],
])('%s that could not be read again is refused with its path', async (_what, field, value, message) => {
  const { sender, published } = publish(field, value)
  const error: unknown = await published.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InvalidEventError)
  expect(String(error)).toContain(`Placed was not published`)
  expect(String(error)).toContain(message)
  expect(sender.messages).toEqual([])
})

test.each([
  ['a Date that the schema reads from text', z.coerce.date(), new Date(0)],
  ['undefined as a field', z.string().optional(), undefined],
  ['a Date that the schema does not look at', z.unknown(), new Date(0)],
  ['an object without a prototype', z.unknown(), Object.assign(Object.create(null), { a: 1 })],
])('%s is published and can be read', async (_what, field, value) => {
  const { sender, Placed, published } = publish(field, value)
  await published
  const [message] = sender.messages
  if (message === undefined) throw new Error('one was sent')
  const envelope = await jsonCodec.decode(message)
  expect(await validate(Placed, envelope.data)).toHaveProperty('data')
})

test('data that is undefined is refused, since its record would have none', async () => {
  const Empty = defineEvent({ type: 'Empty', topic, schema: z.undefined(), key: () => 'k' })
  const producer = createProducer({ sender: createRecordingSender(), source: 'order-service' })
  await expect(producer.publish(Empty, undefined)).rejects.toThrow('use null')
})

test('a schema that answers later is asked as well', async () => {
  const { published } = publish(
    z.date().refine(async () => true),
    new Date(0),
  )
  await expect(published).rejects.toThrow('a Date')
})

test.each([
  ['alone', Buffer.from([0, 255]), 'AP8='],
  ['in a list, beside a bigint', [Buffer.from([0, 255]), 5n], ['AP8=', '5']],
  ['that somebody had already turned into an object', { type: 'Buffer', data: [1] }, { type: 'Buffer', data: [1] }],
])('bytes %s are written in a form that every language reads', async (_what, value, expected) => {
  const { sender, published } = publish(z.unknown(), value)
  await published
  expect(JSON.parse(String(sender.messages[0]?.value)).data.order.field).toEqual(expected)
})
