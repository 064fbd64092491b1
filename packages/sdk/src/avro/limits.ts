import type { AvroRecord, AvroSchema } from './avro-schema.ts'

/** Records inside each other, deeper than which nothing is validated, written or read: a few bytes could nest millions. */
export const mostNestedRecords = 200

/** Items of arrays that take no bytes, in one record's value: five bytes could announce billions of them. */
export const mostEmptyItems = 65_536

/** The fewest bytes that a value of a type takes; 0 for `null`, and for records of nothing else. */
export function minimumBytes(schema: AvroSchema): number {
  return fewest(schema, new Set())
}

function fewest(schema: AvroSchema, around: Set<AvroRecord>): number {
  switch (schema.kind) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return schema.size
    case 'record': {
      // A record inside itself without anything between has no values at all; any number does.
      if (around.has(schema)) return 0
      around.add(schema)
      let bytes = 0
      for (const field of schema.fields) bytes += fewest(field.type, around)
      around.delete(schema)
      return bytes
    }
    default:
      // A union's index, an enum's symbol, the length of a text: at least one byte each.
      return 1
  }
}
