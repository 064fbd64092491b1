import type { AvroField, AvroSchema } from './avro-schema.ts'

/**
 * Whether a field's default, in the JSON form that Avro gives defaults, is a value of a type. One that needs itself to be
 * complete, as a record whose field has that very record as its default, is not.
 */
export function matchesDefault(type: AvroSchema, value: unknown): boolean {
  return matches(type, value, new Set(), new Set())
}

/**
 * @param around fields whose defaults are being completed
 * @param complete fields whose defaults are known to be complete
 */
function matches(type: AvroSchema, value: unknown, around: ReadonlySet<AvroField>, complete: Set<AvroField>): boolean {
  switch (type.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
    case 'long':
      return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 63
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return isBytesText(value)
    case 'fixed':
      return isBytesText(value) && value.length === type.size
    case 'enum':
      return typeof value === 'string' && type.symbols.includes(value)
    case 'array':
      return Array.isArray(value) && value.every((item) => matches(type.items, item, around, complete))
    case 'map':
      return isObject(value) && Object.values(value).every((item) => matches(type.values, item, around, complete))
    case 'record':
      return (
        isObject(value) &&
        type.fields.every((field) =>
          Object.hasOwn(value, field.name)
            ? matches(field.type, value[field.name], around, complete)
            : isComplete(field, around, complete),
        )
      )
    case 'union':
      return type.branches[0] !== undefined && matches(type.branches[0], value, around, complete)
  }
}

/** Whether a field that is left out has a default which ends. */
function isComplete(field: AvroField, around: ReadonlySet<AvroField>, complete: Set<AvroField>): boolean {
  if (field.default === undefined || around.has(field)) return false
  if (complete.has(field)) return true
  if (!matches(field.type, field.default.value, new Set(around).add(field), complete)) return false
  complete.add(field)
  return true
}

/** Avro writes bytes in defaults as text whose characters are the bytes. */
function isBytesText(value: unknown): value is string {
  return typeof value === 'string' && [...value].every((character) => character.charCodeAt(0) < 256)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
