import type { AvroFixed, AvroPrimitive, AvroSchema, AvroUnion } from './avro-schema.ts'

/** What kinds of values JavaScript can tell apart by looking at one; `text` also stands for enums, dates, decimals and UUIDs. */
export type JavaScriptKind =
  | 'null'
  | 'boolean'
  | 'number'
  | 'bigint'
  | 'text'
  | 'timestamp'
  | 'bytes'
  | 'array'
  | 'object'

/** How a logical type, or the mark `"js": "bigint"`, changes the form of a value in JavaScript. */
export type LogicalForm = 'bigint' | 'timestamp' | 'date' | 'decimal' | 'uuid'

/**
 * The form of a value in JavaScript where it is not simply that of its Avro type: `timestamp-millis` is a `Date`, `date` is
 * text as `2026-01-31`, `decimal` is decimal text, a `uuid` of 16 bytes is text, and a long marked `"js": "bigint"` is a
 * bigint. A logical type that the specification calls invalid, such as a decimal without precision, means nothing.
 */
export function logicalFormOf(schema: AvroPrimitive | AvroFixed): LogicalForm | undefined {
  switch (schema.kind) {
    case 'long':
      if (schema.logicalType === 'timestamp-millis') return 'timestamp'
      return schema.attributes.js === 'bigint' ? 'bigint' : undefined
    case 'int':
      return schema.logicalType === 'date' ? 'date' : undefined
    case 'fixed':
      if (schema.logicalType === 'uuid') return schema.size === 16 ? 'uuid' : undefined
      return isDecimal(schema) ? 'decimal' : undefined
    case 'bytes':
      return isDecimal(schema) ? 'decimal' : undefined
    default:
      return undefined
  }
}

/** Longer unscaled numbers are not taken for decimals; turning them into text would take seconds. Digits. */
const longestDecimal = 1000

function isDecimal(schema: AvroPrimitive | AvroFixed): boolean {
  const { logicalType, precision = 0, scale = 0 } = schema
  if (logicalType !== 'decimal' || !Number.isInteger(precision) || precision < 1 || precision > longestDecimal)
    return false
  if (!Number.isInteger(scale) || scale < 0 || scale > precision) return false
  return schema.kind !== 'fixed' || precision <= Math.floor(Math.log10(2) * (8 * schema.size - 1))
}

/** The kind of a type's values in JavaScript. */
export function javaScriptKindOf(schema: Exclude<AvroSchema, AvroUnion>): JavaScriptKind {
  switch (schema.kind) {
    case 'null':
    case 'boolean':
    case 'array':
      return schema.kind
    case 'float':
    case 'double':
      return 'number'
    case 'string':
    case 'enum':
      return 'text'
    case 'map':
    case 'record':
      return 'object'
    case 'int':
    case 'long':
    case 'bytes':
    case 'fixed': {
      const form = logicalFormOf(schema)
      if (form === undefined) return schema.kind === 'int' || schema.kind === 'long' ? 'number' : 'bytes'
      return form === 'bigint' || form === 'timestamp' ? form : 'text'
    }
  }
}

/**
 * Whether a union's values are wrapped, as in `{ 'shop.orders.v1.Card': {…} }`: when two of its branches are of one kind in
 * JavaScript, so that a value alone would not say which of them it is. `null` is never wrapped.
 */
export function isWrappedUnion(union: AvroUnion): boolean {
  const kinds = new Set<JavaScriptKind>()
  for (const branch of union.branches) if (branch.kind !== 'union') kinds.add(javaScriptKindOf(branch))
  return kinds.size < union.branches.length
}
