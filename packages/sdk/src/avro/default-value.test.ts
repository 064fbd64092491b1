import { expect, test } from 'vitest'
import { matchesDefault } from './default-value.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'

const matches = (type: unknown, value: unknown) => matchesDefault(parseAvroSchema(type), value)
const fixed = { type: 'fixed', name: 'Two', size: 2 }
const size = { type: 'enum', name: 'Size', symbols: ['S', 'L'] }
const money = {
  type: 'record',
  name: 'Money',
  fields: [
    { name: 'cents', type: 'long' },
    { name: 'currency', type: 'string', default: 'EUR' },
  ],
}

test.each<[string, unknown, readonly unknown[], readonly unknown[]]>([
  ['null', 'null', [null], [0, '', undefined]],
  ['boolean', 'boolean', [true, false], [0, 'true', null]],
  ['int', 'int', [0, -1, 2 ** 31 - 1, -(2 ** 31)], [0.5, 2 ** 31, -(2 ** 31) - 1, Number.NaN, '1', 1n]],
  ['long', 'long', [0, 2 ** 53, -(2 ** 63)], [0.5, 1e30, -1e30, Number.POSITIVE_INFINITY, '1']],
  ['float', 'float', [0, 1.5], ['1.5', null]],
  ['double', 'double', [0, -1.5], ['1.5', null]],
  ['string', 'string', ['', 'Łódź'], [0, null]],
  ['bytes', 'bytes', ['', '\u0000\u00ff'], ['\u0100', '🚚', 5, [1]]],
  ['fixed', fixed, ['\u0000\u00ff'], ['', 'a', 'abc', 'a\u0100', 5]],
  ['enum', size, ['S', 'L'], ['M', '', 0]],
  ['array', { type: 'array', items: 'int' }, [[], [1, 2]], [[1, 'a'], {}, 'ab', null]],
  ['map', { type: 'map', values: 'int' }, [{}, { a: 1 }], [{ a: 'b' }, [], [1], null]],
  [
    'record',
    money,
    [{ cents: 1 }, { cents: 1, currency: 'PLN', unknown: 1 }],
    [{}, { currency: 'PLN' }, { cents: 'a' }, { cents: 1, currency: null }, [], null],
  ],
  ['union, by its first branch', ['null', 'int'], [null], [1]],
  ['union of one', ['int'], [1], [null]],
])('a default of %s', (_what, type, good, bad) => {
  for (const value of good) expect({ value, fits: matches(type, value) }).toEqual({ value, fits: true })
  for (const value of bad) expect({ value, fits: matches(type, value) }).toEqual({ value, fits: false })
})

test('fields that every object inherits are not taken for those of the default', () => {
  const document = { type: 'record', name: 'Odd', fields: [{ name: 'constructor', type: 'string' }] }
  expect(matches(document, {})).toBe(false)
  expect(matches(document, { constructor: 'x' })).toBe(true)
})

test('a default that needs itself is none, one that ends is', () => {
  const next = (fallback: unknown, type: unknown = ['null', 'Node']) => ({
    type: 'record',
    name: 'Node',
    fields: [{ name: 'next', type, default: fallback }],
  })
  expect(matches(next(null), {})).toBe(true)
  expect(() => parseAvroSchema(next({}, ['Node', 'null']))).toThrow('its default {} is not a Node')
})

test('many defaults within each other are looked at once each', () => {
  let type: unknown = { type: 'record', name: 'R0', fields: [] }
  for (let i = 1; i < 60; i++)
    type = {
      type: 'record',
      name: `R${i}`,
      fields: [
        { name: 'a', type, default: {} },
        { name: 'b', type: `R${i - 1}`, default: {} },
      ],
    }
  expect(matches(type, {})).toBe(true)
})
