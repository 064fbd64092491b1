import { InvalidSchemaError } from '../core/errors.ts'
import { type AvroField, type AvroFixed, type AvroPrimitive, type AvroSchema, nameOf } from './avro-schema.ts'
import { dateText } from './date-text.ts'
import { decimalText, fromTwosComplement } from './decimal-text.ts'
import { isWrappedUnion, logicalFormOf } from './javascript-kind.ts'

/**
 * Makes a field's default in the form that JavaScript gives its type; each call gives a value of its own where it could be
 * changed. `undefined` when the field has no default.
 *
 * @throws InvalidSchemaError when the default has no such form, such as a date in the year 20000.
 */
export function defaultFactory(field: AvroField): (() => unknown) | undefined {
  return field.default === undefined ? undefined : ofField(field, field.default.value, field.name).make
}

interface Factory {
  readonly make: () => unknown
  /** How many values it makes, those inside others included. */
  readonly size: number
}

/** A few lines of `"default": {}` inside each other could ask for more values than memory holds. */
const mostValues = 65_536

/** One for each field: records in records would otherwise have theirs made as often as they can be reached. */
const known = new WeakMap<AvroField, Factory | 'unfinished'>()

function ofField(field: AvroField, json: unknown, path: string): Factory {
  const found = known.get(field)
  if (found === 'unfinished') throw new InvalidSchemaError(`the default of ${path} holds itself without an end`)
  if (found !== undefined) return found
  known.set(field, 'unfinished')
  try {
    const made = factory(field.type, json, path)
    known.set(field, made)
    return made
  } finally {
    if (known.get(field) === 'unfinished') known.delete(field)
  }
}

function factory(type: AvroSchema, json: unknown, path: string): Factory {
  switch (type.kind) {
    case 'union': {
      const [branch] = type.branches
      if (branch === undefined) return fail(path, json)
      const { make, size } = factory(branch, json, path)
      if (branch.kind === 'null' || !isWrappedUnion(type)) return { make, size }
      return { make: () => ({ [nameOf(branch)]: make() }), size: size + 1 }
    }
    case 'array': {
      if (!Array.isArray(json)) return fail(path, json)
      const items = json.map((item) => factory(type.items, item, path))
      return { make: () => items.map(({ make }) => make()), size: sizeOf(items, path) }
    }
    case 'map':
      return ofEntries(
        Object.entries(asObject(json, path)).map(([name, value]) => [name, factory(type.values, value, path)]),
        path,
      )
    case 'record': {
      const given = asObject(json, path)
      return ofEntries(
        type.fields.map((field) => {
          const inside = `${path}.${field.name}`
          if (Object.hasOwn(given, field.name)) return [field.name, factory(field.type, given[field.name], inside)]
          return [
            field.name,
            field.default === undefined ? fail(inside, undefined) : ofField(field, field.default.value, inside),
          ]
        }),
        path,
      )
    }
    case 'int':
    case 'long':
    case 'bytes':
    case 'fixed':
      return { make: formed(type, json, path), size: 1 }
    default:
      return { make: constant(json), size: 1 }
  }
}

function ofEntries(entries: readonly (readonly [string, Factory])[], path: string): Factory {
  const size = sizeOf(
    entries.map(([, made]) => made),
    path,
  )
  return { make: () => Object.fromEntries(entries.map(([name, { make }]) => [name, make()])), size }
}

function sizeOf(inside: readonly Factory[], path: string): number {
  const size = inside.reduce((sum, made) => sum + made.size, 1)
  if (size > mostValues)
    throw new InvalidSchemaError(`the default of ${path} makes more than ${mostValues} values; make it smaller`)
  return size
}

function formed(type: AvroPrimitive | AvroFixed, json: unknown, path: string): () => unknown {
  const form = logicalFormOf(type)
  if (typeof json === 'number') {
    if (form === 'bigint') return constant(BigInt(json))
    if (form === 'timestamp') return Math.abs(json) <= 8.64e15 ? () => new Date(json) : fail(path, json)
    if (form === 'date') return constant(dateText(json) ?? fail(path, json))
    return Number.isSafeInteger(json) ? constant(json) : fail(path, json)
  }
  if (typeof json !== 'string') return fail(path, json)
  // Avro writes the bytes of a default as characters.
  const bytes = Buffer.from(json, 'latin1')
  if (form === 'decimal') return constant(decimalText(fromTwosComplement(bytes), type.scale ?? 0))
  if (form === 'uuid') return constant(uuidText(bytes))
  return () => Buffer.from(bytes)
}

/** Sixteen bytes as `8-4-4-4-12` hexadecimal digits. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function constant(value: unknown): () => unknown {
  return () => value
}

function asObject(json: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null) return fail(path, json)
  // Safe: every value of it is looked at as unknown.
  return json as Readonly<Record<string, unknown>>
}

function fail(path: string, json: unknown): never {
  throw new InvalidSchemaError(`the default of ${path}, ${JSON.stringify(json)}, has no form in JavaScript`)
}
