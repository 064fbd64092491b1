import { describe, expect, test } from 'vitest'
import { defineEvent } from '../core/event.ts'
import { defineTopic } from '../core/topic.ts'
import { avroRecordOf, avroSchema, isAvroSchema } from './avro-standard-schema.ts'

/** The schema of a record with one field, and what it makes of that field's value. */
const fieldOf = (type: unknown, options: { readonly default?: unknown } = {}) => {
  const schema = avroSchema<{ readonly value: unknown }>({
    type: 'record',
    name: 'shop.Thing',
    fields: [{ name: 'value', type, ...options }],
  })
  return {
    take(value: unknown): unknown {
      const result = schema['~standard'].validate({ value })
      if (result instanceof Promise) throw new Error('expected an answer at once')
      return result.issues === undefined ? result.value.value : result.issues[0]?.message
    },
  }
}
const validate = (schema: ReturnType<typeof avroSchema>, value: unknown) => {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new Error('expected an answer at once')
  return result
}
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 }
const bigint = { type: 'long', js: 'bigint' }
const timestamp = { type: 'long', logicalType: 'timestamp-millis' }
const at = new Date('2026-01-31T12:00:00.000Z')

describe('a value in the form of its type comes out as it is', () => {
  test.each([
    ['null', 'null', null],
    ['boolean', 'boolean', true],
    ['int', 'int', -(2 ** 31)],
    ['long', 'long', 2 ** 53 - 1],
    ['bigint', bigint, 2n ** 63n - 1n],
    ['float', 'float', 0.5],
    ['not a number', 'double', Number.NaN],
    ['string', 'string', 'größer 🛒'],
    ['bytes', 'bytes', Buffer.from([1, 2])],
    ['fixed', { type: 'fixed', name: 'Two', size: 2 }, Buffer.from([1, 2])],
    ['enum', { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] }, 'BLUE'],
    ['timestamp', timestamp, at],
    ['date', { type: 'int', logicalType: 'date' }, '2024-02-29'],
    ['decimal', decimal, '-1234.50'],
    ['uuid', { type: 'string', logicalType: 'uuid' }, '0198c0de-0000-7000-8000-000000000001'],
    ['array', { type: 'array', items: 'string' }, ['a', 'b']],
    ['map', { type: 'map', values: 'int' }, { a: 1 }],
    ['nullable', ['null', 'string'], null],
    ['plain union', ['null', 'string', 'int', timestamp], at],
    ['wrapped union', ['int', 'double'], { double: 1 }],
  ])('%s', (_what, type, value) => {
    expect(fieldOf(type).take(value)).toBe(value)
  })
})

describe('what JSON makes of a value is read back', () => {
  test.each([
    ['a Date as ISO text', timestamp, at.toISOString(), at],
    ['ISO text of another time zone', timestamp, '2026-01-31T13:00:00+01:00', at],
    ['a bigint as decimal text', bigint, '-9223372036854775808', -(2n ** 63n)],
    ['bytes as base64 text', 'bytes', 'AQI=', Buffer.from([1, 2])],
    ['bytes as a Buffer writes itself', 'bytes', { type: 'Buffer', data: [1, 2] }, Buffer.from([1, 2])],
    [
      'bytes inside a union',
      ['null', 'bytes', { type: 'map', values: 'int' }],
      { type: 'Buffer', data: [7] },
      Buffer.from([7]),
    ],
    ['a Date inside a union', ['null', timestamp, 'int'], at.toISOString(), at],
    ['a Date inside a wrapped union', ['int', 'double', timestamp], { long: at.toISOString() }, { long: at }],
    ['a decimal with fewer digits than its scale', decimal, '12.5', '12.50'],
    ['a Date inside an array', { type: 'array', items: ['null', timestamp] }, [null, at.toISOString()], [null, at]],
    ['a Date inside a map', { type: 'map', values: timestamp }, { a: at.toISOString() }, { a: at }],
  ])('%s', (_what, type, given, value) => {
    expect(fieldOf(type).take(given)).toEqual(value)
  })
})

describe('a value that is not of its type is refused, with what was expected and what came', () => {
  test.each([
    ['an int beyond 32 bits', 'int', 2 ** 31, 'expected a whole number of 32 bits, got 2147483648'],
    ['a fraction', 'int', 1.5, 'got 1.5'],
    ['a long that JavaScript would round', 'long', 2 ** 53, 'up to ±(2^53-1)'],
    ['a bigint beyond 64 bits', bigint, 2n ** 63n, 'a bigint of 64 bits'],
    ['a number that 32 bits cannot hold', 'float', 1e39, 'a number that 32 bits can hold'],
    ['half a surrogate pair', 'string', 'a\ud800', 'half a surrogate pair'],
    ['an invalid Date', timestamp, new Date(Number.NaN), 'a moment in time'],
    ['text that is no date', timestamp, '2026-02-30T00:00:00Z', 'a Date, or ISO-8601 text'],
    ['a day that does not exist', { type: 'int', logicalType: 'date' }, '2025-02-29', 'a day as YYYY-MM-DD'],
    ['a decimal of too many digits', decimal, '12345.67', 'decimal text of at most 6 digits'],
    ['a decimal that would be rounded', decimal, '0.001', 'decimal text'],
    ['a fixed of another size', { type: 'fixed', name: 'Two', size: 2 }, Buffer.from([1]), '2 byte(s)'],
    ['a symbol that is none', { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] }, 'GREEN', 'one of RED, BLUE'],
    ['a hole in an array', { type: 'array', items: 'int' }, new Array(1), 'got nothing'],
    ['a branch that does not exist', ['int', 'double'], { float: 1 }, 'an object with one of the names int, double'],
    ['null where it is no branch', ['int', 'double'], null, 'got null'],
    ['too many items without bytes', { type: 'array', items: 'null' }, new Array(70_000).fill(null), 'at most 65536'],
  ])('%s', (_what, type, value, message) => {
    expect(fieldOf(type).take(value)).toEqual(expect.stringContaining(message))
  })

  test('all of them at once, each with its path', () => {
    const schema = avroSchema({
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'orderId', type: 'string' },
        {
          name: 'lines',
          type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'quantity', type: 'int' }] } },
        },
        { name: 'notes', type: { type: 'map', values: 'string' } },
        { name: 'paid', type: ['int', 'double'] },
      ],
    })
    const issues = validate(schema, {
      lines: [{ quantity: 1 }, { quantity: 'x' }],
      notes: { a: 1 },
      paid: { int: 0.5 },
    }).issues
    expect(issues).toEqual([
      { path: ['orderId'], message: 'expected a value, got nothing' },
      { path: ['lines', 1, 'quantity'], message: 'expected a whole number of 32 bits, got "x"' },
      { path: ['notes', 'a'], message: 'expected text, got 1' },
      { path: ['paid', 'int'], message: 'expected a whole number of 32 bits, got 0.5' },
    ])
  })
})

test('an unknown symbol becomes the default of its enum', () => {
  const colour = { type: 'enum', name: 'Colour', symbols: ['OTHER', 'RED'], default: 'OTHER' }
  expect(fieldOf(colour).take('GREEN')).toBe('OTHER')
  expect(fieldOf(colour).take(7)).toContain('one of OTHER, RED')
})

test('missing fields get their default, each time its own, and unknown ones are left out', () => {
  const schema = avroSchema({
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'since', type: timestamp, default: 0 },
      { name: 'price', type: decimal, default: '\u0001\u0000' },
      { name: 'total', type: bigint, default: 5 },
      { name: 'paid', type: ['double', 'int'], default: 0.5 },
      { name: 'constructor', type: ['null', 'string'], default: null },
    ],
  })
  const first = validate(schema, { unknown: true })
  expect(first).toEqual({
    value: { tags: [], since: new Date(0), price: '2.56', total: 5n, paid: { double: 0.5 }, constructor: null },
  })
  if (first.issues !== undefined) throw new Error('expected a value')
  expect(validate(schema, {})).toEqual(first)
  expect(validate(schema, first.value)).toEqual(first)
})

test('valid data is not copied', () => {
  const schema = avroSchema({
    type: 'record',
    name: 'A',
    fields: [{ name: 'a', type: { type: 'map', values: 'string' } }],
  })
  const data = { a: { b: 'c' } }
  expect(validate(schema, data)).toEqual({ value: data })
  expect('value' in validate(schema, data) && validate(schema, data)).toHaveProperty(
    'value',
    expect.toSatisfy((value) => value === data),
  )
})

test('a name that means something to JavaScript stays a name', () => {
  const schema = avroSchema({
    type: 'record',
    name: 'A',
    fields: [{ name: 'a', type: { type: 'map', values: timestamp } }],
  })
  const result = validate(schema, JSON.parse(`{"a":{"__proto__":"${at.toISOString()}"}}`))
  if (result.issues !== undefined) throw new Error('expected a value')
  expect(JSON.stringify(result.value)).toBe(`{"a":{"__proto__":"${at.toISOString()}"}}`)
})

test('a record that holds itself is checked to a depth, and no deeper', () => {
  const schema = avroSchema({
    type: 'record',
    name: 'Node',
    fields: [{ name: 'next', type: ['null', 'Node'], default: null }],
  })
  const chain = (length: number) => {
    let node: unknown = null
    for (let i = 0; i < length; i++) node = { next: node }
    return node
  }
  expect(validate(schema, chain(200)).issues).toBeUndefined()
  expect(validate(schema, chain(201)).issues?.[0]?.message).toContain('at most 200 records inside each other')
  expect(validate(schema, chain(100_000)).issues).toHaveLength(1)
  const ring: { next: unknown } = { next: null }
  ring.next = ring
  expect(validate(schema, ring).issues).toHaveLength(1)
})

test('a schema of anything but a record is refused', () => {
  expect(() => avroSchema('string')).toThrow("an event's data is a record, this is a string")
})

test('the record of an event is found on its definition', () => {
  const schema = avroSchema<{ readonly id: string }>({
    type: 'record',
    name: 'shop.A',
    fields: [{ name: 'id', type: 'string' }],
  })
  const event = defineEvent({ type: 'Added', topic: defineTopic({ name: 't' }), schema, key: ({ id }) => id })
  expect(avroRecordOf(event)?.name).toBe('shop.A')
  expect(isAvroSchema(event.schema)).toBe(true)
  expect(isAvroSchema({ '~standard': { version: 1, vendor: 'zod', validate: (value) => ({ value }) } })).toBe(false)
})
