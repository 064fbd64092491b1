/** Schemas and data of them for fast-check, with everything that has a form of its own in JavaScript. */
import fc from 'fast-check'
import { type AvroField, type AvroSchema, nameOf } from '../avro-schema.ts'
import { dateText } from '../date-text.ts'
import { decimalText } from '../decimal-text.ts'
import { uuidText } from '../default-factory.ts'
import { isWrappedUnion, javaScriptKindOf, logicalFormOf } from '../javascript-kind.ts'
import { parseAvroSchema } from '../parse-avro-schema.ts'

type Document = unknown

const scalars: readonly Document[] = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
  { type: 'long', js: 'bigint' },
  { type: 'long', logicalType: 'timestamp-millis' },
  { type: 'long', logicalType: 'timestamp-micros' },
  { type: 'int', logicalType: 'date' },
  { type: 'string', logicalType: 'uuid' },
  { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 3 },
]

/** Records with up to four fields, in documents without references, so that any part can be anywhere. */
export const anyRecord: fc.Arbitrary<AvroSchema> = fc
  .letrec<{ type: Document; branch: Document; record: Document }>((tie) => ({
    branch: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { arbitrary: fc.constantFrom(...scalars), weight: 4 },
      fc.constantFrom(
        { type: 'enum', name: 'Enum', symbols: ['OTHER', 'A', 'B'], default: 'OTHER' },
        { type: 'fixed', name: 'Fixed', size: 3 },
        { type: 'fixed', name: 'Money', size: 6, logicalType: 'decimal', precision: 9, scale: 2 },
        { type: 'fixed', name: 'Id', size: 16, logicalType: 'uuid' },
      ),
      tie('type').map((items) => ({ type: 'array', items })),
      tie('type').map((values) => ({ type: 'map', values })),
      tie('record'),
    ),
    type: fc.oneof(
      { maxDepth: 4 },
      { arbitrary: tie('branch'), weight: 3 },
      tie('branch').map((branch) => (branch === 'null' ? branch : ['null', branch])),
      fc.array(tie('branch'), { minLength: 1, maxLength: 4 }),
    ),
    record: fc
      .array(tie('type'), { maxLength: 4 })
      .map((types) => ({ type: 'record', name: 'Record', fields: types.map((type, i) => ({ name: `f${i}`, type })) })),
  }))
  .record.map((document) => parseAvroSchema(withOwnNames(document, { count: 0 })))

/** Gives every named type a name of its own, and unions one branch of each name. */
function withOwnNames(document: unknown, names: { count: number }): unknown {
  if (Array.isArray(document)) {
    const branches = document.map((branch) => withOwnNames(branch, names))
    const byName = new Map(branches.map((branch) => [branchName(branch), branch]))
    return [...byName.values()]
  }
  if (typeof document !== 'object' || document === null) return document
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(document)) {
    const isName = key === 'name' && 'type' in document && ['record', 'enum', 'fixed'].includes(String(document.type))
    copy[key] = isName
      ? `shop.${String(value)}${names.count++}`
      : typeof value === 'object'
        ? withOwnNames(value, names)
        : value
  }
  return copy
}

function branchName(branch: unknown): unknown {
  if (typeof branch !== 'object' || branch === null) return branch
  if ('name' in branch) return branch.name
  return 'type' in branch ? branch.type : branch
}

export interface DataOptions {
  /** Whether numbers that JSON has no form for may come. */
  readonly onlyJson?: boolean
}

/** Valid data of a type, in the form it has in JavaScript. */
export function dataOf(schema: AvroSchema, options: DataOptions = {}, depth = 0): fc.Arbitrary<unknown> {
  const inside = (type: AvroSchema) => dataOf(type, options, depth + 1)
  switch (schema.kind) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'float':
      return fc.float(numbers(options)).map(withoutMinus)
    case 'double':
      return fc.double(numbers(options)).map(withoutMinus)
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 80 }))
    case 'enum':
      return fc.constantFrom(...schema.symbols)
    case 'array':
      if (depth > 5) return fc.constant([])
      return fc.array(inside(schema.items), { maxLength: depth > 3 ? 1 : 4 })
    case 'map':
      if (depth > 5) return fc.constant({})
      return fc.dictionary(fc.string({ unit: 'binary' }), inside(schema.values), {
        maxKeys: depth > 3 ? 1 : 4,
        noNullPrototype: true,
      })
    case 'record':
      return fc.record(Object.fromEntries(schema.fields.map((field: AvroField) => [field.name, inside(field.type)])), {
        noNullPrototype: true,
      })
    case 'union': {
      const wrapped = isWrappedUnion(schema)
      const closing = depth > 4 ? schema.branches.filter(({ kind }) => kind !== 'record') : []
      return fc.oneof(
        ...(closing.length > 0 ? closing : schema.branches).map((branch) =>
          wrapped && branch.kind !== 'null'
            ? inside(branch).map((value) => ({ [nameOf(branch)]: value }))
            : inside(branch),
        ),
      )
    }
    case 'int':
    case 'long':
    case 'bytes':
    case 'fixed':
      return numberOrBytes(schema)
  }
}

function numberOrBytes(schema: Extract<AvroSchema, { kind: 'int' | 'long' | 'bytes' | 'fixed' }> | AvroSchema) {
  if (schema.kind !== 'int' && schema.kind !== 'long' && schema.kind !== 'bytes' && schema.kind !== 'fixed')
    throw new Error(`expected a number or bytes, got ${schema.kind}`)
  const size = schema.kind === 'fixed' ? schema.size : undefined
  switch (logicalFormOf(schema)) {
    case 'bigint':
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -1000n, max: 1000n }))
    case 'timestamp':
      return fc.date({ noInvalidDate: true })
    case 'date':
      return fc.integer({ min: -719_528, max: 2_932_896 }).map((day) => dateText(day) ?? '')
    case 'decimal': {
      const { precision = 0, scale = 0 } = schema
      const most = 10n ** BigInt(precision) - 1n
      return fc.bigInt({ min: -most, max: most }).map((unscaled) => decimalText(unscaled, scale))
    }
    case 'uuid':
      return bytes(16).map(uuidText)
    default:
      break
  }
  if (schema.kind === 'int') return fc.integer()
  if (schema.kind === 'long') return fc.maxSafeInteger()
  return size === undefined ? fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)) : bytes(size)
}

function bytes(size: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: size, maxLength: size }).map((array) => Buffer.from(array))
}

function numbers({ onlyJson = false }: DataOptions) {
  return { noNaN: onlyJson, noDefaultInfinity: onlyJson }
}

/** JSON has one zero. */
function withoutMinus(value: number): number {
  return value === 0 ? 0 : value
}

/** Whether JSON says which branch a value of each union is: a moment, a bigint or bytes beside text are text in JSON, too. */
export function isToldApartByJson(schema: AvroSchema): boolean {
  switch (schema.kind) {
    case 'array':
      return isToldApartByJson(schema.items)
    case 'map':
      return isToldApartByJson(schema.values)
    case 'record':
      return schema.fields.every(({ type }) => isToldApartByJson(type))
    case 'union': {
      const kinds = schema.branches.map((branch) => (branch.kind === 'union' ? 'null' : javaScriptKindOf(branch)))
      const mixed = kinds.includes('text') && kinds.some((kind) => ['timestamp', 'bigint', 'bytes'].includes(kind))
      return (isWrappedUnion(schema) || !mixed) && schema.branches.every(isToldApartByJson)
    }
    default:
      return true
  }
}
