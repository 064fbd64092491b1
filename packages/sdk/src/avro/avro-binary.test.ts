import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { UndecodableRecordError } from '../core/errors.ts'
import { avroDecoder, avroEncoder } from './avro-binary.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'

const typeOf = (document: unknown) => parseAvroSchema(document)
const read = (writer: unknown, reader: unknown, bytes: Buffer) => avroDecoder(typeOf(writer), typeOf(reader))(bytes)
/** What avsc writes for a value; it knows nothing of our forms, so only for values of plain types. */
const foreign = (document: unknown, value: unknown): Buffer =>
  avsc.Type.forSchema(document as avsc.Schema).toBuffer(value)
const record = (name: string, ...fields: readonly unknown[]) => ({ type: 'record', name, fields })
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })

const decimal = { type: 'bytes', logicalType: 'decimal', precision: 40, scale: 2 }
const fixedDecimal = { type: 'fixed', name: 'Money', size: 8, logicalType: 'decimal', precision: 10, scale: 2 }
const node = record('Node', field('value', 'int'), field('next', ['null', 'Node']))

describe('a value that is written reads the same', () => {
  test.each<[string, unknown, unknown]>([
    ['null', 'null', null],
    ['boolean', 'boolean', true],
    ['the smallest int', 'int', -(2 ** 31)],
    ['the largest int', 'int', 2 ** 31 - 1],
    ['the smallest safe long', 'long', -(2 ** 53 - 1)],
    ['the largest safe long', 'long', 2 ** 53 - 1],
    ['a long of more than 30 bits', 'long', -(2 ** 30) - 1],
    ['the smallest bigint', { type: 'long', js: 'bigint' }, -(2n ** 63n)],
    ['the largest bigint', { type: 'long', js: 'bigint' }, 2n ** 63n - 1n],
    ['float', 'float', 0.5],
    ['not a number', 'double', Number.NaN],
    ['short text', 'string', 'order'],
    ['text of 63 characters', 'string', 'x'.repeat(63)],
    ['text of 64 characters', 'string', 'x'.repeat(64)],
    ['text beyond ASCII', 'string', 'größer 🛒'],
    ['long text beyond ASCII', 'string', 'größer 🛒 '.repeat(1000)],
    ['text that holds the replacement character', 'string', 'a\ufffdb'],
    ['bytes', 'bytes', Buffer.from([0, 255])],
    ['fixed', { type: 'fixed', name: 'F', size: 3 }, Buffer.from([1, 2, 3])],
    ['enum', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'B'],
    [
      'an enum of 100 symbols',
      { type: 'enum', name: 'E', symbols: Array.from({ length: 100 }, (_, i) => `S${i}`) },
      'S99',
    ],
    ['timestamp', { type: 'long', logicalType: 'timestamp-millis' }, new Date('2026-01-31T12:00:00.123Z')],
    ['a timestamp before 1970', { type: 'long', logicalType: 'timestamp-millis' }, new Date(-62135596800000)],
    ['date', { type: 'int', logicalType: 'date' }, '1969-12-31'],
    ['decimal', decimal, '-123456789012345678901234567890.12'],
    ['zero', decimal, '0.00'],
    ['a decimal of fixed size', fixedDecimal, '-12345678.90'],
    [
      'a uuid of fixed size',
      { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
      '0198c0de-0000-7000-8000-000000000001',
    ],
    ['array', { type: 'array', items: 'string' }, ['a', '', 'b']],
    ['an empty array', { type: 'array', items: 'string' }, []],
    ['an array of nulls', { type: 'array', items: 'null' }, [null, null]],
    ['map', { type: 'map', values: 'int' }, { a: 1, b: 2 }],
    ['an empty map', { type: 'map', values: 'int' }, {}],
    ['nullable', ['null', 'string'], null],
    ['nullable with a value', ['string', 'null'], 'a'],
    ['plain union', ['null', 'string', 'int', 'bytes', { type: 'map', values: 'int' }], { a: 1 }],
    [
      'wrapped union',
      ['null', 'int', 'double', { type: 'enum', name: 'shop.E', symbols: ['A'] }, 'string'],
      { 'shop.E': 'A' },
    ],
    ['wrapped null', ['null', 'int', 'double'], null],
    ['a record that holds itself', node, { value: 1, next: { value: 2, next: null } }],
    [
      'a record named like nothing good',
      record('A', field('__proto__', 'int'), field('constructor', 'int')),
      JSON.parse('{"__proto__":1,"constructor":2}'),
    ],
  ])('%s', (_what, document, value) => {
    const schema = typeOf(document)
    const decoded = avroDecoder(schema)(avroEncoder(schema)(value))
    expect(decoded).toEqual(value)
    expect(Object.keys(Object(decoded))).toEqual(Object.keys(Object(value)))
  })

  test('as one of 500,000 characters, and small ones after it', () => {
    const encode = avroEncoder(typeOf('string'))
    const decode = avroDecoder(typeOf('string'))
    const large = encode('ä'.repeat(500_000))
    const small = encode('b')
    expect(decode(large)).toBe('ä'.repeat(500_000))
    expect(decode(small)).toBe('b')
  })

  test('in a record of a map whose names mean something to JavaScript', () => {
    const schema = typeOf({ type: 'map', values: 'int' })
    const value = JSON.parse('{"__proto__":1,"constructor":2}')
    const decoded = avroDecoder(schema)(avroEncoder(schema)(value))
    expect(JSON.stringify(decoded)).toBe('{"__proto__":1,"constructor":2}')
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
  })
})

describe('another implementation writes the same bytes', () => {
  test.each<[string, unknown, unknown]>([
    [
      'whole numbers',
      { type: 'array', items: 'long' },
      [0, -1, 63, 64, -64, -65, 2 ** 31, -(2 ** 31), 2 ** 40 + 1, -(2 ** 40)],
    ],
    ['fractions', { type: 'array', items: 'double' }, [0.1, -5, Number.POSITIVE_INFINITY]],
    ['texts', { type: 'array', items: 'string' }, ['', 'a', 'ö', '🛒', 'x'.repeat(100), 'é'.repeat(64)]],
    ['bytes', 'bytes', Buffer.from('hello')],
    ['a union', { type: 'array', items: ['null', 'string', 'int'] }, [null, 'a', 1]],
    ['a record that holds itself', node, { value: 1, next: { value: 2, next: null } }],
    ['a map', { type: 'map', values: 'boolean' }, { a: true, b: false }],
  ])('%s', (_what, document, value) => {
    expect(avroEncoder(typeOf(document))(value)).toEqual(foreign(document, value))
    expect(avroDecoder(typeOf(document))(foreign(document, value))).toEqual(value)
  })
})

describe('what was written with another schema is read', () => {
  test.each<[string, unknown, unknown, unknown, unknown]>([
    ['an int as a long', 'int', 'long', 5, 5],
    ['an int as a bigint', 'int', { type: 'long', js: 'bigint' }, -5, -5n],
    ['a long as a bigint', 'long', { type: 'long', js: 'bigint' }, -5, -5n],
    ['an int as a moment', 'int', { type: 'long', logicalType: 'timestamp-millis' }, 5, new Date(5)],
    ['a long as a fraction', 'long', 'double', -7, -7],
    ['a float as a double', 'float', 'double', 0.5, 0.5],
    ['text as bytes', 'string', 'bytes', 'ab', Buffer.from('ab')],
    ['bytes as text', 'bytes', 'string', Buffer.from('ab'), 'ab'],
    ['a type as nullable', 'string', ['null', 'string'], 'a', 'a'],
    ['a nullable as its type', ['null', 'string'], 'string', 'a', 'a'],
    ['unions in another order', ['null', 'string', 'int'], ['int', 'string', 'null'], 'a', 'a'],
    ['a plain union as a wrapped one', ['null', 'int'], ['null', 'int', 'double'], 1, { int: 1 }],
    ['a branch that was promoted', ['null', 'int'], ['null', 'long', 'double'], 1, { long: 1 }],
    [
      'a symbol that is not known',
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      { type: 'enum', name: 'E', symbols: ['A', 'O'], default: 'O' },
      'B',
      'O',
    ],
    [
      'a symbol at another place',
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      { type: 'enum', name: 'E', symbols: ['B', 'A'] },
      'B',
      'B',
    ],
    [
      'a field that is new',
      record('R', field('a', 'int')),
      record('R', field('b', { type: 'array', items: 'string' }, { default: ['x'] }), field('a', 'int')),
      { a: 1 },
      { b: ['x'], a: 1 },
    ],
    [
      'fields in another order',
      record('R', field('a', 'int'), field('b', 'string')),
      record('R', field('b', 'string'), field('a', 'int')),
      { a: 1, b: 'x' },
      { b: 'x', a: 1 },
    ],
    [
      'a field by its old name',
      record('R', field('old', 'int')),
      record('R', field('a', 'int', { aliases: ['old'] })),
      { old: 1 },
      { a: 1 },
    ],
    [
      'a record by its old name',
      record('shop.Old', field('a', 'int')),
      record('shop.New', field('a', 'int')),
      { a: 1 },
      { a: 1 },
    ],
    [
      'a record in another namespace',
      record('one.R', field('a', 'int')),
      record('two.R', field('a', 'int')),
      { a: 1 },
      { a: 1 },
    ],
    ['a decimal with more digits behind the point', decimal, { ...decimal, scale: 4 }, '1.25', '1.2500'],
    ['a decimal with fewer digits behind the point', decimal, { ...decimal, scale: 1 }, '1.50', '1.5'],
    [
      'a record that holds itself, with a new field',
      node,
      record('Node', field('value', 'long'), field('next', ['null', 'Node']), field('new', 'string', { default: '' })),
      { value: 1, next: { value: 2, next: null } },
      { value: 1, next: { value: 2, next: null, new: '' }, new: '' },
    ],
  ])('%s', (what, writer, reader, given, expected) => {
    const withAlias = what === 'a record by its old name' ? { ...Object(reader), aliases: ['shop.Old'] } : reader
    expect(read(writer, withAlias, avroEncoder(typeOf(writer))(given))).toEqual(expected)
  })

  test('without the fields that are no longer there, whatever they are', () => {
    const gone = [
      'null',
      'boolean',
      'int',
      'long',
      'float',
      'double',
      'bytes',
      'string',
      { type: 'fixed', name: 'F', size: 3 },
      { type: 'enum', name: 'E', symbols: ['A'] },
      { type: 'array', items: 'string' },
      { type: 'map', values: 'double' },
      ['null', 'string'],
      node,
    ]
    const values = [
      null,
      true,
      300,
      2 ** 40,
      1,
      1,
      Buffer.from('abc'),
      'abc',
      Buffer.from('abc'),
      'A',
      ['a', 'b'],
      { a: 1 },
      'a',
      { value: 1, next: { value: 2, next: null } },
    ]
    const writer = record('R', ...gone.map((type, i) => field(`gone${i}`, type)), field('kept', 'string'))
    const value = Object.fromEntries(values.map((one, i) => [`gone${i}`, one]))
    const bytes = avroEncoder(typeOf(writer))({ ...value, kept: 'here' })
    expect(read(writer, record('R', field('kept', 'string')), bytes)).toEqual({ kept: 'here' })
  })

  test('in blocks that say how many bytes they have', () => {
    const bytes = Buffer.from([3, 4, 2, 4, 2, 6, 0])
    const array = { type: 'array', items: 'int' }
    expect(read(array, array, Buffer.from([0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00]))).toEqual([1, 2, 3])
    const writer = record('R', field('gone', array), field('kept', 'int'))
    expect(read(writer, record('R', field('kept', 'int')), Buffer.concat([bytes, Buffer.from([14])]))).toEqual({
      kept: 7,
    })
  })
})

describe('a pair of schemas that does not fit is refused with the place, once a record comes to it', () => {
  test.each<[string, unknown, unknown, unknown, string]>([
    [
      'another type',
      record('R', field('a', 'string')),
      record('R', field('a', 'int')),
      { a: 'x' },
      'a: string was written, int is expected',
    ],
    [
      'a field without default',
      record('R'),
      record('R', field('a', 'int')),
      {},
      'the record: record R was written without "a", for which there is no default',
    ],
    ['another record', record('A'), record('B'), {}, 'record A was written, record B is expected'],
    [
      'inside lists',
      record('R', field('a', { type: 'array', items: record('L', field('b', 'long')) })),
      record('R', field('a', { type: 'array', items: record('L', field('b', 'int')) })),
      { a: [{ b: 1 }] },
      'a[].b: long was written, int is expected',
    ],
    [
      'a symbol without default',
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
      { type: 'enum', name: 'E', symbols: ['A'] },
      'B',
      'enum E has no symbol B',
    ],
    [
      'microseconds as milliseconds',
      { type: 'long', logicalType: 'timestamp-micros' },
      { type: 'long', logicalType: 'timestamp-millis' },
      1,
      'long (timestamp-micros) was written, long (timestamp-millis) is expected',
    ],
    [
      'a branch that the reader lacks',
      ['null', 'string'],
      ['null', 'int'],
      'a',
      'string was written, one of null, int is expected',
    ],
    ['digits that would be lost', decimal, { ...decimal, scale: 1 }, '1.25', 'one of scale 2 with more digits'],
  ])('%s', (_what, writer, reader, value, message) => {
    const bytes = avroEncoder(typeOf(writer))(value)
    expect(() => read(writer, reader, bytes)).toThrow(UndecodableRecordError)
    expect(() => read(writer, reader, bytes)).toThrow(message)
  })

  test('and a record that has nothing there is read', () => {
    const bytes = avroEncoder(typeOf(['null', 'string']))(null)
    expect(read(['null', 'string'], ['null', 'int'], bytes)).toBe(null)
  })
})

describe('a value that is not of the type is not written', () => {
  test.each<[string, unknown, unknown, string]>([
    ['text for a number', 'int', 'x', 'expected a whole number of 32 bits, got "x"'],
    ['half a surrogate pair', 'string', '\udc00', 'half a surrogate pair'],
    ['half a surrogate pair in long text', 'string', `${'x'.repeat(100)}\udc00`, 'half a surrogate pair'],
    ['a symbol that is none', { type: 'enum', name: 'E', symbols: ['A'] }, 'B', 'a symbol of E'],
    ['a missing field', record('R', field('toString', 'string')), {}, 'expected text, got nothing'],
    ['a branch that does not exist', ['int', 'double'], { float: 1 }, 'that of its branch'],
    ['no kind of the union', ['int', 'string'], true, 'expected int or string, got true'],
    [
      'too many items without bytes',
      { type: 'array', items: 'null' },
      new Array(70_000).fill(null),
      'items that take no space',
    ],
    [
      'records too deep',
      node,
      Array.from({ length: 300 }).reduce<unknown>((next) => ({ value: 1, next }), null),
      'at most 200',
    ],
  ])('%s', (_what, document, value, message) => {
    expect(() => avroEncoder(typeOf(document))(value)).toThrow(message)
  })
})
