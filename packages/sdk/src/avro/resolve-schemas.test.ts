import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InvalidSchemaError } from '../core/errors.ts'
import { avroDecoder, avroEncoder } from './avro-binary.ts'
import { checkCompatibility } from './compatibility.ts'
import { compileCheck } from './compile-check.ts'
import { defaultFactory } from './default-factory.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'
import { dataOf } from './testing/arbitrary-data.ts'
import { drawSchemaPairs } from './testing/schema-pairs.ts'

test('data of a schema reads with every one that is called compatible', () => {
  let read = 0
  for (const { before, after } of Array.from({ length: 400 }, (_, seed) => drawn(seed)).flat()) {
    const writer = parseAvroSchema(before)
    const reader = parseAvroSchema(after)
    if (checkCompatibility({ reader, writer }).length > 0) continue
    const decode = avroDecoder(writer, reader)
    const check = compileCheck(reader, 'reader')
    for (const data of fc.sample(dataOf(writer), { seed: 7, numRuns: 5 })) {
      let value: unknown
      try {
        value = decode(avroEncoder(writer)(data))
      } catch (error) {
        // Bytes may be read as text, but not all bytes are one.
        expect(String(error)).toContain('text in UTF-8')
        continue
      }
      assert.deepStrictEqual(check(value, 0, undefined), value)
      read++
    }
  }
  expect(read).toBeGreaterThan(100)
})

/** A pair, or none when the one drawn is no schema at all. */
function drawn(seed: number) {
  try {
    return drawSchemaPairs(seed, 1)
  } catch (error) {
    if (error instanceof InvalidSchemaError) return []
    throw error
  }
}

test('a record that cannot be read leaves nothing behind for others of its kind', () => {
  const kinds = (net: readonly object[]) =>
    parseAvroSchema({
      type: 'record',
      name: 'T',
      fields: [
        {
          name: 'first',
          type: [
            'null',
            {
              type: 'record',
              name: 'O',
              fields: [
                { name: 'gross', type: 'long' },
                { name: 'i', type: { type: 'record', name: 'I', fields: [{ name: 'o', type: ['null', 'O'] }] } },
                ...net,
              ],
            },
          ],
        },
        { name: 'second', type: 'I' },
      ],
    })
  const writer = kinds([])
  const decode = avroDecoder(writer, kinds([{ name: 'net', type: 'long' }]))
  const bytes = avroEncoder(writer)({ first: null, second: { o: { gross: 100, i: { o: null } } } })
  expect(() => decode(bytes)).toThrow('was written without "net"')
})

test('records that hold others many times over take no longer than their number is worth', () => {
  // Each level is reached twice as often as the one above it: walked without a memory, this would never end.
  const levels = 60
  let inner: unknown = { type: 'record', name: 'R0', fields: [{ name: 'n', type: 'null' }] }
  for (let level = 1; level <= levels; level++) {
    const fields = [
      { name: 'a', type: inner },
      { name: 'b', type: `R${level - 1}` },
    ]
    inner = { type: 'record', name: `R${level}`, fields }
  }
  const holder = { type: 'record', name: 'Holder', fields: [{ name: 'all', type: { type: 'array', items: inner } }] }
  expect(avroDecoder(parseAvroSchema(holder))(Buffer.from([0]))).toEqual({ all: [] })
})

test('whole numbers read as a float are what 32 bits hold of them', () => {
  const decode = avroDecoder(parseAvroSchema('long'), parseAvroSchema('float'))
  expect(decode(avroEncoder(parseAvroSchema('long'))(16_777_217))).toBe(16_777_216)
})

test('defaults inside each other that would fill the memory are refused', () => {
  let inner: unknown = { type: 'record', name: 'R0', fields: [{ name: 'n', type: 'int', default: 0 }] }
  for (let level = 1; level <= 40; level++) {
    const fields = [
      { name: 'a', type: inner, default: {} },
      { name: 'b', type: `R${level - 1}`, default: {} },
    ]
    inner = { type: 'record', name: `R${level}`, fields }
  }
  const type = parseAvroSchema(inner)
  const field = { name: 'all', aliases: [], doc: undefined, type, default: { value: {} }, attributes: {} }
  expect(() => defaultFactory(field)).toThrow('makes more than 65536 values')
})
