import type { AvroRecord, AvroSchema } from './avro-schema.ts'

/** Records inside each other, deeper than which nothing is validated, written or read: a few bytes could nest millions. */
export const mostNestedRecords = 200

/** Items of arrays that take no bytes, in one record's value: five bytes could announce billions of them. */
export const mostEmptyItems = 65_536

/** More than any record has; beyond it the figure says nothing that matters. */
const manyBytes = 1_000_000

/** What was found out of each record: a tree of records would otherwise be walked as often as its leaves can be reached. */
const known = new WeakMap<AvroRecord, number>()

/** The fewest bytes that a value of a type takes, or a little less; 0 for `null`, and for records of nothing else. */
export function minimumBytes(schema: AvroSchema): number {
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
      const bytes = known.get(schema)
      if (bytes !== undefined) return bytes
      // A record inside itself without anything between has no values at all; any number does.
      known.set(schema, 0)
      let sum = 0
      for (const field of schema.fields) sum = Math.min(manyBytes, sum + minimumBytes(field.type))
      known.set(schema, sum)
      return sum
    }
    default:
      // A union's index, an enum's symbol, the length of a text: at least one byte each.
      return 1
  }
}
