import type { AvroSchema } from './avro-schema.ts'

/** Whether a field's default, in the JSON form that Avro gives defaults, is a value of a type. */
export function matchesDefault(type: AvroSchema, value: unknown): boolean {
  switch (type.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
    case 'long':
      return typeof value === 'number' && Number.isInteger(value)
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
      return Array.isArray(value) && value.every((item) => matchesDefault(type.items, item))
    case 'map':
      return isObject(value) && Object.values(value).every((item) => matchesDefault(type.values, item))
    case 'record':
      return (
        isObject(value) &&
        type.fields.every((field) =>
          Object.hasOwn(value, field.name)
            ? matchesDefault(field.type, value[field.name])
            : field.default !== undefined,
        )
      )
    case 'union':
      return type.branches[0] !== undefined && matchesDefault(type.branches[0], value)
  }
}

/** Avro writes bytes in defaults as text whose characters are the bytes. */
function isBytesText(value: unknown): value is string {
  return typeof value === 'string' && [...value].every((character) => character.charCodeAt(0) < 256)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
