/** Checks of values that hold no others; each also reads the form that JSON gives its values. */
import { types } from 'node:util'
import type { AvroEnum, AvroFixed, AvroPrimitive } from './avro-schema.ts'
import { dayOf, instantOf } from './date-text.ts'
import { decimalText, unscaledOf } from './decimal-text.ts'
import { logicalFormOf } from './javascript-kind.ts'
import { type Check, refuse } from './validation-trail.ts'
import { isWellFormed } from './well-formed-text.ts'

export const largestFloat = 3.4028234663852886e38
export const smallestLong = -(2n ** 63n)
export const largestLong = 2n ** 63n - 1n
export const uuidRule = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

export function scalarCheck(schema: AvroPrimitive | AvroFixed): Check {
  switch (schema.kind === 'fixed' || schema.kind === 'string' ? undefined : logicalFormOf(schema)) {
    case 'timestamp':
      return checkTimestamp
    case 'bigint':
      return checkBigint
    case 'date':
      return checkDate
    case 'decimal':
      return decimalCheck(schema)
    default:
      break
  }
  switch (schema.kind) {
    case 'null':
      return (value, _depth, trail) => (value === null ? value : refuse(trail, 'null', value))
    case 'boolean':
      return (value, _depth, trail) => (typeof value === 'boolean' ? value : refuse(trail, 'true or false', value))
    case 'int':
      return checkInt
    case 'long':
      return checkLong
    case 'float':
      return checkFloat
    case 'double':
      return (value, _depth, trail) => (typeof value === 'number' ? value : refuse(trail, 'a number', value))
    case 'string':
      return checkText
    case 'bytes':
      return bytesCheck(undefined)
    case 'fixed': {
      const form = logicalFormOf(schema)
      return form === 'decimal' ? decimalCheck(schema) : form === 'uuid' ? checkUuid : bytesCheck(schema.size)
    }
  }
}

/** @param mayBeNewer whether a symbol may be one that was added later. */
export function enumCheck({ symbols, default: fallback }: AvroEnum, mayBeNewer: boolean): Check {
  const known = new Set<unknown>(symbols)
  const listed = symbols.length > 12 ? `${symbols.slice(0, 12).join(', ')}, …` : symbols.join(', ')
  return (value, _depth, trail) => {
    if (known.has(value)) return value
    // A symbol that was added later is read as the default, as Avro does.
    if (mayBeNewer && fallback !== undefined && typeof value === 'string') return fallback
    return refuse(trail, `one of ${listed}`, value)
  }
}

const checkInt: Check = (value, _depth, trail) =>
  // Only numbers can equal what becomes of them as 32 bits.
  value === ((value as number) | 0) ? value : refuse(trail, 'a whole number of 32 bits', value)

const checkLong: Check = (value, _depth, trail) =>
  Number.isSafeInteger(value)
    ? value
    : refuse(trail, 'a whole number up to ±(2^53-1) (mark the type "js": "bigint" for larger ones)', value)

const checkFloat: Check = (value, _depth, trail) =>
  typeof value === 'number' && (Math.abs(value) <= largestFloat || !Number.isFinite(value))
    ? value
    : refuse(trail, 'a number that 32 bits can hold', value)

const checkText: Check = (value, _depth, trail) => {
  if (typeof value !== 'string') return refuse(trail, 'text', value)
  return isWellFormed(value)
    ? value
    : refuse(trail, 'text without half a surrogate pair, which UTF-8 cannot hold', value)
}

const checkTimestamp: Check = (value, _depth, trail) => {
  if (value instanceof Date || types.isDate(value))
    return Number.isNaN(value.getTime()) ? refuse(trail, 'a moment in time', value) : value
  const instant = typeof value === 'string' ? instantOf(value) : undefined
  return instant ?? refuse(trail, 'a Date, or ISO-8601 text with a time zone', value)
}

const checkDate: Check = (value, _depth, trail) =>
  typeof value === 'string' && dayOf(value) !== undefined ? value : refuse(trail, 'a day as YYYY-MM-DD', value)

const wholeNumberRule = /^-?\d{1,19}$/

const checkBigint: Check = (value, _depth, trail) => {
  let number: bigint | undefined
  if (typeof value === 'bigint') number = value
  else if (typeof value === 'string' && wholeNumberRule.test(value)) number = BigInt(value)
  else if (typeof value === 'number' && Number.isSafeInteger(value)) number = BigInt(value)
  return number !== undefined && number >= smallestLong && number <= largestLong
    ? number
    : refuse(trail, 'a bigint of 64 bits, or its decimal text', value)
}

function decimalCheck({ precision = 0, scale = 0 }: AvroPrimitive | AvroFixed): Check {
  const expected = `decimal text of at most ${precision} digits, ${scale} of them behind the point`
  return (value, _depth, trail) => {
    const unscaled = typeof value === 'string' ? unscaledOf(value, precision, scale) : undefined
    if (unscaled === undefined) return refuse(trail, expected, value)
    // One text for one number, or a fact would read otherwise from JSON than from Avro.
    const text = decimalText(unscaled, scale)
    return text === value ? value : text
  }
}

const checkUuid: Check = (value, _depth, trail) =>
  typeof value === 'string' && uuidRule.test(value) ? value.toLowerCase() : refuse(trail, 'a UUID', value)

const base64Rule = /^[A-Za-z0-9+/]*={0,2}$/

function bytesCheck(size: number | undefined): Check {
  const expected =
    size === undefined ? 'bytes as a Buffer or base64 text' : `${size} byte(s) as a Buffer or base64 text`
  return (value, _depth, trail) => {
    const bytes = bytesOf(value)
    if (bytes === undefined || (size !== undefined && bytes.length !== size)) return refuse(trail, expected, value)
    return bytes
  }
}

function bytesOf(value: unknown): Buffer | undefined {
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'string')
    return value.length % 4 === 0 && base64Rule.test(value) ? Buffer.from(value, 'base64') : undefined
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return isJsonBuffer(value) ? Buffer.from(value.data) : undefined
}

/** What `JSON.stringify` makes of a Buffer. */
export function isJsonBuffer(value: unknown): value is { readonly type: 'Buffer'; readonly data: readonly number[] } {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false
  const { type, data } = value
  return type === 'Buffer' && Array.isArray(data) && data.every((byte) => byte === (byte & 0xff))
}
