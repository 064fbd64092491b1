import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InvalidSchemaError } from '../core/errors.ts'
import type { AvroSchema } from './avro-schema.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'
import { printAvroSchema } from './print-avro-schema.ts'
import { avroDocuments } from './testing/arbitrary-document.ts'

/** Its type for schemas does not know attributes; whether it takes them is what is tried. */
const fingerprint = (document: unknown) =>
  avsc.Type.forSchema(document as avsc.Schema)
    .fingerprint()
    .toString('hex')

test('what is printed is read as the same tree, and as the same schema by another implementation', () => {
  fc.assert(
    fc.property(avroDocuments, (document) => {
      const schema = parseAvroSchema(document)
      const printed: unknown = JSON.parse(JSON.stringify(printAvroSchema(schema)))
      expect(parseAvroSchema(printed)).toEqual(schema)
      expect(printAvroSchema(parseAvroSchema(printed))).toEqual(printed)
      expect(fingerprint(printed)).toBe(fingerprint(document))
    }),
    { numRuns: 300 },
  )
})

test('types of other documents are written out where they are first used, and named after that', () => {
  const money = parseAvroSchema({
    type: 'record',
    name: 'shop.Money',
    doc: 'An amount.',
    fields: [{ name: 'cents', type: 'long', default: 0, pii: false }],
  })
  const order = parseAvroSchema(
    {
      type: 'record',
      name: 'Order',
      namespace: 'shop',
      fields: [
        { name: 'total', type: 'Money' },
        { name: 'tax', type: ['null', 'shop.Money'], default: null },
      ],
    },
    { resolve: (name) => (money.kind === 'record' && name === money.name ? money : undefined) },
  )
  expect(printAvroSchema(order)).toEqual({
    type: 'record',
    name: 'shop.Order',
    fields: [
      {
        name: 'total',
        type: {
          type: 'record',
          name: 'shop.Money',
          doc: 'An amount.',
          fields: [{ name: 'cents', type: 'long', default: 0, pii: false }],
        },
      },
      { name: 'tax', type: ['null', 'shop.Money'], default: null },
    ],
  })
})

test('a primitive keeps whatever is said about it', () => {
  for (const document of [
    { type: 'bytes', precision: 4 },
    { type: 'long', logicalType: 'timestamp-millis' },
    { type: 'string', pii: true },
  ])
    expect(printAvroSchema(parseAvroSchema(document))).toEqual(document)
  expect(printAvroSchema(parseAvroSchema({ type: 'string' }))).toBe('string')
})

test('a type in no namespace says so within one that is in one', () => {
  const document = {
    type: 'record',
    name: 'shop.Order',
    fields: [{ name: 'size', type: { type: 'enum', name: 'Size', namespace: '', symbols: ['S'] } }],
  }
  expect(printAvroSchema(parseAvroSchema(document))).toEqual(document)
})

test('a type in no namespace is not named where another would be taken for it', () => {
  const size = (name: string): AvroSchema => ({
    kind: 'enum',
    name,
    aliases: [],
    doc: undefined,
    symbols: [name === 'Size' ? 'BARE' : 'NEAR'],
    default: undefined,
    attributes: {},
  })
  const bare = size('Size')
  const order = (...types: readonly AvroSchema[]): AvroSchema => ({
    kind: 'record',
    name: 'shop.Order',
    aliases: [],
    doc: undefined,
    fields: types.map((type, i) => ({
      name: `f${i}`,
      aliases: [],
      doc: undefined,
      type,
      default: undefined,
      attributes: {},
    })),
    attributes: {},
  })
  expect(() => printAvroSchema(order(bare, size('shop.Size'), bare))).toThrow(InvalidSchemaError)
  expect(() => printAvroSchema(order(bare, size('shop.Size'), bare))).toThrow('"shop.Size" would be taken for it')
  const told = order(bare, bare, size('shop.Size'))
  expect(parseAvroSchema(printAvroSchema(told))).toEqual(told)
})
