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
  return field.default === undefined ? undefined : factory(field.type, field.default.value, field.name)
}

function factory(type: AvroSchema, json: unknown, path: string): () => unknown {
  switch (type.kind) {
    case 'union': {
      const [branch] = type.branches
      if (branch === undefined) return fail(path, json)
      const make = factory(branch, json, path)
      if (branch.kind === 'null' || !isWrappedUnion(type)) return make
      return () => ({ [nameOf(branch)]: make() })
    }
    case 'array': {
      if (!Array.isArray(json)) return fail(path, json)
      const items = json.map((item) => factory(type.items, item, path))
      return () => items.map((make) => make())
    }
    case 'map': {
      const entries = Object.entries(asObject(json, path)).map(
        ([name, value]) => [name, factory(type.values, value, path)] as const,
      )
      return () => Object.fromEntries(entries.map(([name, make]) => [name, make()]))
    }
    case 'record': {
      const given = asObject(json, path)
      const entries = type.fields.map((field) => {
        const inside = `${path}.${field.name}`
        const make = Object.hasOwn(given, field.name)
          ? factory(field.type, given[field.name], inside)
          : defaultFactory(field)
        return [field.name, make ?? fail(inside, undefined)] as const
      })
      return () => Object.fromEntries(entries.map(([name, make]) => [name, make()]))
    }
    case 'int':
    case 'long':
    case 'bytes':
    case 'fixed':
      return formed(type, json, path)
    default:
      return () => json
  }
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
