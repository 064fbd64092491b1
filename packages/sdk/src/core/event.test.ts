import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { InvalidDefinitionError } from './errors.ts'
import { defineEvent, fact, validate } from './event.ts'
import { defineTopic } from './topic.ts'

const topic = defineTopic({ name: 'order-events' })
const schema = z.object({ orderId: z.string(), lines: z.array(z.object({ quantity: z.number() })) })
const OrderPlaced = defineEvent({ type: 'OrderPlaced', topic, schema, key: (order) => order.orderId })

test('an event is version 1 unless told otherwise, and cannot be changed afterwards', () => {
  expect(OrderPlaced.version).toBe('v1')
  expect(Object.isFrozen(OrderPlaced)).toBe(true)
})

test.each(['', 'orderPlaced', 'Order Placed', 'Order-Placed', '1Order', 'A'.repeat(129)])(
  'refuses the type %j',
  (type) => {
    expect(() => defineEvent({ type, topic, schema, key: () => 'k' })).toThrow(InvalidDefinitionError)
  },
)

test.each(['', '1', 'v0', 'v01', 'V1', 'v1.2'])('refuses the version %j', (version) => {
  expect(() => defineEvent({ type: 'OrderPlaced', version, topic, schema, key: () => 'k' })).toThrow(
    InvalidDefinitionError,
  )
})

test('names the path of what is wrong', () => {
  const result = validate(OrderPlaced, { orderId: 'o-1', lines: [{ quantity: 'two' }] })
  expect(result).toMatchObject({ issues: [{ path: 'lines.0.quantity' }] })
})

test('hands on what the schema made of the data', () => {
  expect(validate(OrderPlaced, { orderId: 'o-1', lines: [], extra: true })).toEqual({
    data: { orderId: 'o-1', lines: [] },
  })
})

test('waits only for schemas that need it', async () => {
  const slow: StandardSchemaV1<string> = {
    '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: String(value) }) },
  }
  const Slow = defineEvent({ type: 'Slow', topic, schema: slow, key: (text) => text })
  const result = validate(Slow, 'x')
  expect(result).toBeInstanceOf(Promise)
  expect(await result).toEqual({ data: 'x' })
})

test('a step of a path may be an object with a key', () => {
  const nested: StandardSchemaV1<string> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({
        issues: [{ message: 'bad', path: [{ key: 'lines' }, 0, Symbol('secret')] }, { message: 'all' }],
      }),
    },
  }
  const Nested = defineEvent({ type: 'Nested', topic, schema: nested, key: (text) => text })
  expect(validate(Nested, 'x')).toEqual({
    issues: [
      { path: 'lines.0.Symbol(secret)', message: 'bad' },
      { path: '', message: 'all' },
    ],
  })
})

test('a fact pairs an event with its data', () => {
  const data = { orderId: 'o-1', lines: [] }
  expect(fact(OrderPlaced, data)).toEqual({ event: OrderPlaced, data })
})
