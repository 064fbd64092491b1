import { describe, expect, test } from 'vitest'
import { checkCompatibility, rootCauses } from './compatibility.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'

const record = (...fields: unknown[]) => ({ type: 'record', name: 'shop.Order', fields })
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })
const line = (...fields: unknown[]) => ({ type: 'record', name: 'shop.Line', fields })
const state = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'shop.State', symbols, ...more })

const compare = (reader: unknown, writer: unknown) =>
  checkCompatibility({ reader: parseAvroSchema(reader), writer: parseAvroSchema(writer) })
const found = (reader: unknown, writer: unknown) => compare(reader, writer).map(({ kind, path }) => `${kind} ${path}`)

describe('what can be read', () => {
  test('a field that is gone, and one that is new and has a default', () => {
    expect(found(record(field('b', 'string', { default: '' })), record(field('a', 'string')))).toEqual([])
  })

  test('a field under its former name, when that is an alias', () => {
    expect(found(record(field('b', 'string', { aliases: ['a'] })), record(field('a', 'string')))).toEqual([])
  })

  test('a number that became wider, text as bytes and bytes as text', () => {
    expect(found(record(field('a', 'double')), record(field('a', 'int')))).toEqual([])
    expect(found(record(field('a', 'bytes')), record(field('a', 'string')))).toEqual([])
    expect(found(record(field('a', 'string')), record(field('a', 'bytes')))).toEqual([])
  })

  test('a plain value as one that may be null', () => {
    expect(found(record(field('a', ['null', 'string'])), record(field('a', 'string')))).toEqual([])
  })

  test('an unknown symbol, when the enum has a default', () => {
    expect(found(state(['NEW', 'OLD'], { default: 'OLD' }), state(['NEW', 'GONE']))).toEqual([])
  })

  test('a type in another namespace: Avro matches the last part of names', () => {
    expect(found(record(field('a', 'int')), { ...record(field('a', 'int')), name: 'store.Order' })).toEqual([])
  })

  test('another logical type on the same bytes, which Avro does not look at', () => {
    expect(found({ type: 'long', logicalType: 'timestamp-millis' }, { type: 'long' })).toEqual([])
  })

  test('a record that holds itself', () => {
    const tree = (extra: unknown[]) => ({
      type: 'record',
      name: 'Tree',
      fields: [field('children', { type: 'array', items: 'Tree' }), ...extra],
    })
    expect(found(tree([field('note', 'string', { default: '' })]), tree([]))).toEqual([])
  })
})

describe('what cannot', () => {
  test.each<[string, unknown, unknown, string[]]>([
    ['a new field without a default', record(field('a', 'int')), record(), ['READER_FIELD_MISSING_DEFAULT_VALUE a']],
    ['a number made narrower', record(field('a', 'int')), record(field('a', 'long')), ['TYPE_MISMATCH a']],
    [
      'null, once the type is no longer nullable',
      record(field('a', 'int')),
      record(field('a', ['null', 'int'])),
      ['TYPE_MISMATCH a'],
    ],
    [
      'a symbol that was taken away',
      record(field('s', state(['NEW']))),
      record(field('s', state(['NEW', 'OLD']))),
      ['MISSING_ENUM_SYMBOLS s'],
    ],
    ['a type under another name', { ...record(), name: 'shop.Purchase' }, record(), ['NAME_MISMATCH ']],
    [
      'a fixed of another size',
      { type: 'fixed', name: 'F', size: 4 },
      { type: 'fixed', name: 'F', size: 8 },
      ['FIXED_SIZE_MISMATCH '],
    ],
    [
      'a branch that was taken from a union',
      record(field('a', ['null', 'int'])),
      record(field('a', ['null', 'string'])),
      ['MISSING_UNION_BRANCH a'],
    ],
    [
      'a field in a list',
      record(field('lines', { type: 'array', items: line(field('price', 'long')) })),
      record(field('lines', { type: 'array', items: line() })),
      ['READER_FIELD_MISSING_DEFAULT_VALUE lines[].price'],
    ],
    [
      'a value in a map',
      record(field('m', { type: 'map', values: 'int' })),
      record(field('m', { type: 'map', values: 'long' })),
      ['TYPE_MISMATCH m{}'],
    ],
    [
      'two fields that are one by an alias',
      record(field('b', 'int', { aliases: ['a'] })),
      record(field('a', 'int'), field('b', 'int')),
      ['NAME_MISMATCH b'],
    ],
  ])('%s', (_, reader, writer, expected) => {
    expect(found(reader, writer)).toEqual(expected)
  })

  test('within a nullable record it says which field, behind the union that Avro names', () => {
    const findings = compare(
      record(field('line', ['null', line(field('price', 'long'))])),
      record(field('line', ['null', line()])),
    )

    expect(findings.map(({ kind, location }) => `${kind} ${location}`)).toEqual([
      'MISSING_UNION_BRANCH /fields/0/type/1',
    ])
    expect(rootCauses(findings).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'READER_FIELD_MISSING_DEFAULT_VALUE line.price',
    ])
  })

  test('a type that is used in several places is found once, with all of them', () => {
    const [finding, ...others] = compare(
      record(field('first', line(field('price', 'long'))), field('more', { type: 'array', items: 'shop.Line' })),
      record(field('first', line()), field('more', { type: 'array', items: 'shop.Line' })),
    )

    expect(others).toEqual([])
    expect(finding).toMatchObject({ path: 'first.price', alsoAt: ['more[].price'] })
  })

  test('it says what does not fit and which data fails', () => {
    expect(
      compare(
        record(field('lines', { type: 'array', items: line(field('state', state(['NEW']))) })),
        record(field('lines', { type: 'array', items: line(field('state', state(['NEW', 'OLD', 'GONE']))) })),
      ).map(({ message }) => message),
    ).toEqual([
      'the writer may write OLD, GONE for the enum shop.State, which the reader does not know and has no default for: ' +
        'data of the writer fails where lines is not empty and lines[].state is OLD or GONE.',
    ])
  })

  test('types that hold each other a million times over are compared in no time', () => {
    let inner: unknown = { type: 'record', name: 'T0', fields: [field('x', 'int')] }
    let other: unknown = { type: 'record', name: 'T0', fields: [field('x', 'string')] }
    for (let depth = 1; depth < 60; depth++) {
      const around = (type: unknown) => ({
        type: 'record',
        name: `T${depth}`,
        fields: [field('left', type), field('right', `T${depth - 1}`)],
      })
      inner = around(inner)
      other = around(other)
    }

    const [finding, ...others] = compare(inner, other)

    expect(others).toEqual([])
    expect(finding?.alsoAt).toHaveLength(20)
  })
})
