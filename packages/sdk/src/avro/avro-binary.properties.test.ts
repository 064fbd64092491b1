/** What holds for any schema, any data and any bytes. */
import assert from 'node:assert/strict'
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonCodec } from '../core/codec.ts'
import { UndecodableRecordError } from '../core/errors.ts'
import { defineEvent } from '../core/event.ts'
import { createProducer } from '../core/producer.ts'
import { defineTopic } from '../core/topic.ts'
import { createRecordingSender } from '../testing/recording-sender.ts'
import { avroDecoder, avroEncoder } from './avro-binary.ts'
import type { AvroSchema } from './avro-schema.ts'
import { avroSchema } from './avro-standard-schema.ts'
import { compileCheck } from './compile-check.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'
import { printAvroSchema } from './print-avro-schema.ts'
import { anyRecord, dataOf, isToldApartByJson } from './testing/arbitrary-data.ts'

/** The same cases every time; a failure prints what to repeat. */
const runs = { seed: 20_261_124, numRuns: 100 }

const schemaAndData = (onlyJson = false) =>
  anyRecord
    .filter((schema) => !onlyJson || isToldApartByJson(schema))
    .chain((schema) => fc.tuple(fc.constant(schema), dataOf(schema, { onlyJson })))

test('valid data is accepted as it is', () => {
  fc.assert(
    fc.property(schemaAndData(), ([schema, data]) => {
      assert.deepStrictEqual(compileCheck(schema, 'reader')(data, 0, undefined), data)
    }),
    runs,
  )
})

test('what is written in Avro reads the same', () => {
  fc.assert(
    fc.property(schemaAndData(), ([schema, data]) => {
      assert.deepStrictEqual(avroDecoder(schema)(avroEncoder(schema)(data)), data)
    }),
    runs,
  )
})

test('what is published in JSON is handed over the same', async () => {
  const topic = defineTopic({ name: 't' })
  await fc.assert(
    fc.asyncProperty(schemaAndData(true), async ([schema, data]) => {
      const event = defineEvent({
        type: 'Happened',
        topic,
        schema: avroSchema<unknown>(printAvroSchema(schema)),
        key: () => 'k',
      })
      const sender = createRecordingSender()
      await createProducer({ sender, source: 's', codec: jsonCodec }).publish(event, data)
      const [message] = sender.messages
      if (message === undefined) throw new Error('nothing was sent')
      const envelope = await jsonCodec.decode(message)
      const read = await event.schema['~standard'].validate(envelope.data)
      assert.deepStrictEqual(read, { value: data })
    }),
    runs,
  )
})

test('another implementation reads what was written, and writes the same', () => {
  fc.assert(
    fc.property(schemaAndData(), ([schema, data]) => {
      const plain = plainDocument(schema)
      const type = avsc.Type.forSchema(plain as avsc.Schema, { wrapUnions: 'always' })
      const bytes = avroEncoder(schema)(data)
      // Written with the numbers and bytes under the logical types, which both know.
      const underlying = parseAvroSchema(plain)
      fc.pre(isSafeForPeer(data))
      const value = avroDecoder(underlying)(bytes)
      assert.deepStrictEqual(type.toBuffer(type.fromBuffer(bytes)), bytes)
      assert.deepStrictEqual(avroEncoder(underlying)(value), bytes)
    }),
    runs,
  )
})

/** Without what gives a form of its own. */
function plainDocument(schema: AvroSchema): unknown {
  return JSON.parse(
    JSON.stringify(printAvroSchema(schema), (key, value) =>
      key === 'logicalType' || key === 'js' ? undefined : value,
    ),
  )
}

/** The peer loses the last bits of numbers above 2^52. */
function isSafeForPeer(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) < 2 ** 52 || !Number.isInteger(value)
  if (value instanceof Date) return isSafeForPeer(value.getTime())
  if (typeof value === 'bigint') return value > -(2n ** 52n) && value < 2n ** 52n
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return true
  return Object.values(value).every(isSafeForPeer)
}

describe('bytes from anywhere', () => {
  /** Reads them or refuses them by name, and what is read is valid. */
  const readOrRefuse = (schema: AvroSchema, reader: AvroSchema, bytes: Buffer) => {
    let value: unknown
    try {
      value = avroDecoder(schema, reader)(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(UndecodableRecordError)
      return
    }
    assert.deepStrictEqual(compileCheck(reader, 'reader')(value, 0, undefined), value)
  }

  test('are read as valid data or refused by name', () => {
    fc.assert(
      fc.property(anyRecord, fc.uint8Array({ maxLength: 200 }), (schema, bytes) =>
        readOrRefuse(schema, schema, Buffer.from(bytes)),
      ),
      { ...runs, numRuns: 300 },
    )
  })

  test('and so are records with a few bytes changed, cut or added', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)) })
    fc.assert(
      fc.property(
        schemaAndData(),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: -3, max: 3 }),
        ([schema, data], changes, longer) => {
          const valid = avroEncoder(schema)(data)
          const bytes = Buffer.alloc(Math.max(0, valid.length + longer))
          valid.copy(bytes)
          for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
          readOrRefuse(schema, schema, bytes)
        },
      ),
      { ...runs, numRuns: 300 },
    )
  })

  const list = (items: unknown) => ({
    type: 'record',
    name: 'R',
    fields: [{ name: 'f', type: { type: 'array', items } }],
  })
  const map = (values: unknown) => ({
    type: 'record',
    name: 'R',
    fields: [{ name: 'f', type: { type: 'map', values } }],
  })
  const nothing = { type: 'record', name: 'R', fields: [] }
  const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  const node = { type: 'record', name: 'R', fields: [{ name: 'next', type: ['null', 'R'] }] }
  test.each<[string, unknown, number[], string]>([
    ['a block of more items than there are bytes', list('string'), huge, 'a block of items'],
    ['a block of negative size', list('string'), [1, 1, 0], 'a block of items'],
    ['a block of items without bytes', list('null'), huge, 'items that take no space'],
    [
      'many blocks of items without bytes',
      list('null'),
      Array.from({ length: 100 }).flatMap(() => [0xfe, 0x0f]),
      'items that take no space',
    ],
    ['a block of empty records', list({ type: 'record', name: 'E', fields: [] }), huge, 'items that take no space'],
    ['a map of more entries than there are bytes', map('null'), huge, 'a block of items'],
    ['a text of negative length', list('string'), [2, 1], 'a length'],
    ['bytes of an absurd length', list('bytes'), [2, ...huge], 'bytes of'],
    ['a fixed that is not there', list({ type: 'fixed', name: 'F', size: 2 ** 31 }), [2], 'a block of items'],
    ['a number that does not end', list('long'), [2, ...new Array(40).fill(0xff)], 'at most ten bytes'],
    ['a number of more than 64 bits', list('long'), [2, ...new Array(9).fill(0xff), 0x7f], 'at most ten bytes'],
    ['a whole number beyond 2^53', list('long'), [2, ...new Array(9).fill(0xff), 0x01], 'up to ±(2^53-1)'],
    ['an int of more than 32 bits', list('int'), [2, 0xfe, 0xff, 0xff, 0xff, 0x1f, 0], 'a whole number of 32 bits'],
    ['a branch that is none', list(['null', 'int']), [2, 4], 'a number below 2'],
    ['a branch below 0', list(['null', 'int']), [2, 1], 'a number below 2'],
    ['a symbol that is none', list({ type: 'enum', name: 'E', symbols: ['A'] }), [2, 2], 'a number below 1'],
    ['a boolean that is neither', list('boolean'), [2, 2], 'true or false'],
    ['text that is not UTF-8', list('string'), [2, 4, 0xc3, 0x28], 'text in UTF-8'],
    ['long text that is not UTF-8', list('string'), [2, 0x80, 1, ...new Array(64).fill(0xff)], 'text in UTF-8'],
    [
      'a moment beyond all Dates',
      list({ type: 'long', logicalType: 'timestamp-millis' }),
      [2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
      'a moment that a Date can hold',
    ],
    [
      'a day in the year 20000',
      list({ type: 'int', logicalType: 'date' }),
      [2, 0x80, 0xaa, 0xc9, 0x06],
      'a day of the years 0 to 9999',
    ],
    [
      'a decimal of many bytes',
      list({ type: 'bytes', logicalType: 'decimal', precision: 4 }),
      [2, 0x80, 0x08, ...new Array(512).fill(1)],
      'a decimal of 4 digits',
    ],
    [
      'a decimal of many digits',
      list({ type: 'bytes', logicalType: 'decimal', precision: 4 }),
      [2, 8, 1, 1, 1, 1, 0],
      'a decimal of 4 digits',
    ],
    ['records inside each other', node, new Array(100_000).fill(2), 'at most 200 records'],
    ['bytes left over', nothing, [0], 'the end of the record'],
    ['nothing', list('int'), [], 'a whole number'],
  ])('%s are refused at once, also where nobody asked for the field', (_what, document, bytes, message) => {
    const writer = parseAvroSchema(document)
    expect(() => avroDecoder(writer)(Buffer.from(bytes))).toThrow(UndecodableRecordError)
    expect(() => avroDecoder(writer)(Buffer.from(bytes))).toThrow(message)
    readOrRefuse(writer, parseAvroSchema(nothing), Buffer.from(bytes))
  })
})
