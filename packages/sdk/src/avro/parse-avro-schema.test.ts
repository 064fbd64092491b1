import { describe, expect, test } from 'vitest'
import { InvalidSchemaError } from '../core/errors.ts'
import type { AvroNamed, AvroRecord, AvroSchema } from './avro-schema.ts'
import { type ParseAvroOptions, parseAvroSchema } from './parse-avro-schema.ts'

const record = (name: string, ...fields: readonly unknown[]) => ({ type: 'record', name, fields })
const holding = (...fields: readonly unknown[]) => record('Thing', ...fields)
const recordOf = (document: unknown, options: ParseAvroOptions = {}): AvroRecord => {
  const schema = parseAvroSchema(document, options)
  if (schema.kind !== 'record') throw new Error(`expected a record, got ${schema.kind}`)
  return schema
}
const typeOf = (document: unknown, field: string, options: ParseAvroOptions = {}): AvroSchema => {
  const found = recordOf(document, options).fields.find(({ name }) => name === field)
  if (found === undefined) throw new Error(`there is no field ${field}`)
  return found.type
}
const nameAt = (document: unknown, field: string, options: ParseAvroOptions = {}) => {
  const type = typeOf(document, field, options)
  return 'name' in type ? type.name : type.kind
}

test('every kind of type is read', () => {
  const schema = recordOf({
    ...holding(
      { name: 'nothing', type: 'null' },
      { name: 'plain', type: { type: 'string' } },
      { name: 'twice', type: { type: { type: 'string' } } },
      { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      { name: 'big', type: { type: 'long', js: 'bigint' } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4, aliases: ['Digest'], logicalType: 'x' } },
      { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'], default: 'S', doc: 'How big.' } },
      { name: 'list', type: { type: 'array', items: 'int', note: 'sorted' } },
      { name: 'map', type: { type: 'map', values: ['null', 'int'] } },
      { name: 'inner', type: { type: 'error', name: 'Inner', fields: [] } },
    ),
    doc: 'A thing.',
    aliases: ['Object', 'other.Object'],
    namespace: 'shop',
    key: 'plain',
  })
  expect(schema).toMatchObject({
    name: 'shop.Thing',
    aliases: ['shop.Object', 'other.Object'],
    doc: 'A thing.',
    attributes: { key: 'plain' },
  })
  expect(schema.fields.map(({ type }) => type)).toEqual([
    { kind: 'null', attributes: {} },
    { kind: 'string', attributes: {} },
    { kind: 'string', attributes: {} },
    { kind: 'bytes', logicalType: 'decimal', precision: 9, scale: 2, attributes: {} },
    { kind: 'long', attributes: { js: 'bigint' } },
    { kind: 'fixed', name: 'shop.Hash', aliases: ['shop.Digest'], size: 4, logicalType: 'x', attributes: {} },
    {
      kind: 'enum',
      name: 'shop.Size',
      aliases: [],
      doc: 'How big.',
      symbols: ['S', 'L'],
      default: 'S',
      attributes: {},
    },
    { kind: 'array', items: { kind: 'int', attributes: {} }, attributes: { note: 'sorted' } },
    {
      kind: 'map',
      values: {
        kind: 'union',
        branches: [
          { kind: 'null', attributes: {} },
          { kind: 'int', attributes: {} },
        ],
      },
      attributes: {},
    },
    { kind: 'record', name: 'shop.Inner', aliases: [], doc: undefined, fields: [], attributes: {} },
  ])
})

test('a field keeps what is said about it', () => {
  const [field] = recordOf(
    holding({
      name: 'email',
      type: 'string',
      doc: 'Where to.',
      aliases: ['mail'],
      default: 'none',
      pii: true,
      order: 'ignore',
    }),
  ).fields
  expect(field).toEqual({
    name: 'email',
    aliases: ['mail'],
    doc: 'Where to.',
    type: { kind: 'string', attributes: {} },
    default: { value: 'none' },
    attributes: { pii: true, order: 'ignore' },
  })
})

test('what a fixed type says of itself is kept', () => {
  expect(parseAvroSchema({ type: 'fixed', name: 'Hash', size: 4, doc: 'Of what.' })).toMatchObject({
    attributes: { doc: 'Of what.' },
  })
})

describe('names', () => {
  const inner = { type: 'enum', name: 'Size', symbols: ['S'] }

  test('are in the namespace around them, unless they say otherwise', () => {
    const document = {
      ...holding(
        { name: 'near', type: inner },
        { name: 'dotted', type: { ...inner, name: 'far.Size', namespace: 'ignored' } },
        { name: 'told', type: { ...inner, namespace: 'told' } },
        { name: 'none', type: { ...inner, namespace: '' } },
      ),
      namespace: 'shop',
    }
    expect(['near', 'dotted', 'told', 'none'].map((field) => nameAt(document, field))).toEqual([
      'shop.Size',
      'far.Size',
      'told.Size',
      'Size',
    ])
  })

  test('without dots mean the type nearby, then the one in no namespace', () => {
    const both = [
      { name: 'none', type: { ...inner, namespace: '' } },
      { name: 'before', type: 'Size' },
      { name: 'near', type: inner },
      { name: 'after', type: 'Size' },
    ]
    const document = { ...holding(...both), namespace: 'shop' }
    expect(nameAt(document, 'before')).toBe('Size')
    expect(nameAt(document, 'after')).toBe('shop.Size')
  })

  test('in a record without a namespace are in none, also within one that has a namespace', () => {
    const document = {
      ...holding({ name: 'inner', type: { ...record('Bare', { name: 'size', type: inner }), namespace: '' } }),
      namespace: 'shop',
    }
    const bare = typeOf(document, 'inner')
    expect(bare).toMatchObject({ name: 'Bare', fields: [{ type: { name: 'Size' } }] })
  })

  test('of the record around them may be used within it', () => {
    const document = { ...holding({ name: 'parent', type: ['null', 'Thing'] }), namespace: 'shop' }
    const schema = recordOf(document)
    expect(typeOf(document, 'parent')).toMatchObject({ branches: [{ kind: 'null' }, { name: 'shop.Thing' }] })
    const [parent] = schema.fields
    expect(parent?.type.kind === 'union' && parent.type.branches[1]).toBe(schema)
  })

  test('may be written as an object', () => {
    expect(nameAt(holding({ name: 'a', type: inner }, { name: 'b', type: { type: 'Size' } }), 'b')).toBe('Size')
  })

  test('of primitive types always mean those', () => {
    const document = { ...holding({ name: 'a', type: 'int' }), namespace: 'shop' }
    expect(nameAt(document, 'a', { resolve: () => recordOf(record('shop.int')) })).toBe('int')
  })
})

describe('types of other documents', () => {
  const known = new Map<string, AvroNamed>(
    ['shop.common.Money', 'shop.Near', 'Bare'].map((name) => [name, recordOf(record(name))]),
  )
  const resolve = (name: string) => known.get(name)

  test('are found by full name, by the namespace around, and in no namespace', () => {
    const document = {
      ...holding(
        { name: 'full', type: 'shop.common.Money' },
        { name: 'near', type: ['null', 'Near'] },
        { name: 'bare', type: { type: 'array', items: 'Bare' } },
      ),
      namespace: 'shop',
    }
    expect(typeOf(document, 'full', { resolve })).toBe(known.get('shop.common.Money'))
    expect(typeOf(document, 'near', { resolve })).toMatchObject({ branches: [{}, { name: 'shop.Near' }] })
    expect(typeOf(document, 'bare', { resolve })).toMatchObject({ items: { name: 'Bare' } })
  })

  test('come after those of the document itself', () => {
    const own = { ...record('Near', { name: 'own', type: 'int' }) }
    const document = { ...holding({ name: 'a', type: own }, { name: 'b', type: 'Near' }), namespace: 'shop' }
    expect(typeOf(document, 'b', { resolve })).toMatchObject({ fields: [{ name: 'own' }] })
  })
})

describe('defaults', () => {
  test('may be of a record that is defined around them', () => {
    const document = holding(
      { name: 'size', type: 'int', default: 1 },
      { name: 'parts', type: { type: 'array', items: 'Thing' }, default: [{}] },
    )
    expect(() => parseAvroSchema(holding({ name: 'id', type: 'int' }, ...document.fields))).toThrow(
      'at parts: its default [{}]',
    )
    expect(() => parseAvroSchema({ ...document, fields: document.fields.slice(0, 1) })).not.toThrow()
  })

  test('without an end are refused', () => {
    const endless = 'its default {} is not a'
    expect(() => parseAvroSchema(holding({ name: 'next', type: ['Thing', 'null'], default: {} }))).toThrow(endless)
    expect(() =>
      parseAvroSchema(holding({ name: 'list', type: { type: 'array', items: 'Thing' }, default: [{}] })),
    ).toThrow('its default [{}] is not a')
  })

  test('may be undone by null being the default', () => {
    expect(recordOf(holding({ name: 'a', type: ['null', 'int'], default: null })).fields[0]?.default).toEqual({
      value: null,
    })
  })
})

describe('what is no schema', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 'int' : { type: 'array', items: nest(depth - 1) })
  test.each([
    ['a number', 5, 'schema: expected a schema, got 5'],
    ['null', null, 'schema: expected a schema, got null'],
    ['nothing as a type', {}, 'schema: expected a schema with "type" as text, got nothing'],
    [
      'attributes around a type',
      { type: { type: 'int' }, doc: 'x' },
      'expected a schema with "type" as text, got {"type":"int"}',
    ],
    ['a name that is nowhere', 'shop.Money', 'schema: type "shop.Money" is not defined'],
    [
      'a name that is not nearby',
      { ...holding({ name: 'a', type: 'Money' }), namespace: 'shop' },
      'at a: type "shop.Money" is not defined',
    ],
    ['a name in an object', { type: 'Money' }, 'type "Money" is not defined'],
    ['an array of nothing', { type: 'array' }, 'schema at []: expected a schema, got nothing'],
    ['a map of nothing', { type: 'map' }, 'schema at {}: expected a schema, got nothing'],
    ['a union of nothing', [], 'a union needs at least one branch'],
    ['a union in a union', ['null', ['int']], 'a union may not hold a union'],
    ['a union with a type twice', ['int', 'int'], 'its union holds int twice'],
    ['a union with two arrays', [nest(1), nest(2)], 'its union holds array twice'],
    [
      'a union with a name twice',
      holding({ name: 'a', type: ['Thing', 'Thing'] }),
      'at a: its union holds Thing twice',
    ],
    ['a record without a name', { type: 'record', fields: [] }, 'the name nothing is not letters'],
    [
      'a record with a bad name',
      record('a-b'),
      'the name "a-b" is not letters, digits and "_", with dots between parts',
    ],
    ['a record with half a name', record('shop.'), 'the name "shop." is not letters'],
    ['a record with a bad namespace', { ...record('A'), namespace: 'a-b' }, 'the namespace "a-b" is not a name'],
    ['a namespace that is no text', { ...record('A'), namespace: 5 }, '"namespace" must be text, got 5'],
    ['a record named as Avro names things', record('map'), 'the name "map" is taken by Avro itself'],
    ['a record without fields', { type: 'record', name: 'A' }, 'record A needs "fields" as a list'],
    ['a field that is no object', record('A', 'x'), 'expected a field, got "x"'],
    ['a field without a name', holding({ type: 'int' }), 'field name nothing is not letters'],
    ['a field with a bad name', holding({ name: '1a', type: 'int' }), 'field name "1a" is not letters, digits and "_"'],
    ['a field without a type', holding({ name: 'a' }), 'schema at a: the field has no "type"'],
    [
      'two fields of one name',
      holding({ name: 'a', type: 'int' }, { name: 'a', type: 'int' }),
      'record Thing has two fields "a"',
    ],
    [
      'a type defined twice',
      holding({ name: 'a', type: record('A') }, { name: 'b', type: record('A') }),
      'at b: the type "A" is defined twice',
    ],
    ['a doc that is no text', { ...record('A'), doc: 5 }, '"doc" must be text, got 5'],
    [
      'a doc of a field that is no text',
      holding({ name: 'a', type: 'int', doc: [] }),
      'at a: "doc" must be text, got []',
    ],
    ['aliases that are no list', { ...record('A'), aliases: 'B' }, '"aliases" must be a list of texts, got "B"'],
    ['aliases that are no texts', { ...record('A'), aliases: [5] }, '"aliases" must hold texts, got 5'],
    [
      'aliases of a field that are no list',
      holding({ name: 'a', type: 'int', aliases: {} }),
      'at a: "aliases" must be a list of texts, got {}',
    ],
    ['an enum without symbols', { type: 'enum', name: 'E' }, 'enum E needs at least one symbol'],
    [
      'an enum with a bad symbol',
      { type: 'enum', name: 'E', symbols: ['a-b'] },
      'symbol "a-b" of enum E is not a name',
    ],
    ['an enum with a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'enum E has a symbol twice'],
    [
      'an enum with a default that is none',
      { type: 'enum', name: 'E', symbols: ['A'], default: 'B' },
      'the default "B" of enum E is none of its symbols',
    ],
    [
      'a fixed type without a size',
      { type: 'fixed', name: 'F' },
      'fixed F needs "size" as a whole number of bytes, got nothing',
    ],
    ['a fixed type with half a byte', { type: 'fixed', name: 'F', size: 1.5 }, 'got 1.5'],
    ['a fixed type of fewer than no bytes', { type: 'fixed', name: 'F', size: -1 }, 'got -1'],
    [
      'a default of another type',
      holding({ name: 'a', type: 'int', default: 'x' }),
      'schema at a: its default "x" is not a int',
    ],
    [
      'a default of another branch',
      holding({ name: 'a', type: ['null', 'int'], default: 1 }),
      'its default 1 is not a null, the first branch of its union; put the branch of the default first',
    ],
    [
      'a default deep inside',
      holding({
        name: 'a',
        type: record('A', {
          name: 'b',
          type: { type: 'array', items: record('B', { name: 'c', type: 'int', default: null }) },
        }),
      }),
      'schema at a.b[].c: its default null is not a int',
    ],
    ['a record inside itself', holding({ name: 'a', type: 'Thing' }), 'record Thing holds itself without an end'],
    [
      'a record inside itself by another',
      holding({ name: 'a', type: record('Other', { name: 'b', type: ['Thing'] }) }),
      'holds itself without an end',
    ],
    ['more levels than anybody needs', nest(5000), 'more than 200 types inside each other'],
  ])('%s is refused', (_what, document, message) => {
    expect(() => parseAvroSchema(document)).toThrow(InvalidSchemaError)
    expect(() => parseAvroSchema(document)).toThrow(message)
  })

  test('is called by its title, and shown in short', () => {
    expect(() => parseAvroSchema({ type: { long: 'x'.repeat(100) }, doc: '' }, { title: 'orders/A.v1.avsc' })).toThrow(
      /^orders\/A\.v1\.avsc: expected .* got \{"long":"x{48}\.\.\.$/,
    )
  })

  test('a record that holds itself by way of a list, a map or null has values', () => {
    for (const type of [{ type: 'array', items: 'Thing' }, { type: 'map', values: 'Thing' }, ['null', 'Thing']])
      expect(() => parseAvroSchema(holding({ name: 'a', type }))).not.toThrow()
  })
})

test('what others have registered may have any default, and null for what it leaves out', () => {
  const fields = [
    { name: 'a', type: ['null', 'string'], default: 'x', doc: null },
    { name: 'b', type: { type: 'enum', name: 'E', symbols: ['A'], default: null, aliases: null }, default: 'B' },
  ]
  const document = { type: 'record', name: 'R', namespace: null, doc: null, fields }
  expect(parseAvroSchema(document, { lenient: true })).toMatchObject({ kind: 'record', name: 'R' })
  expect(() => parseAvroSchema(document)).toThrow('namespace')
  expect(() => parseAvroSchema({ ...document, name: 'R; x' }, { lenient: true })).toThrow('is not letters')
})
