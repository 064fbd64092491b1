import type { AvroNamed, AvroSchema } from '../avro/avro-schema.ts'

/**
 * The records of which a publisher may leave something out: a field with a default, or a part of a record inside. Only they
 * look different to a publisher and to a reader.
 */
export function recordsWithLeftOutFields(types: readonly AvroNamed[]): ReadonlySet<AvroNamed> {
  const records = types.filter((type) => type.kind === 'record')
  const found = new Set<AvroNamed>(records.filter(({ fields }) => fields.some((field) => field.default !== undefined)))
  // Around those found come others, until there are no more: records may hold each other in circles.
  let before: number
  do {
    before = found.size
    for (const record of records) if (record.fields.some(({ type }) => holds(type, found))) found.add(record)
  } while (found.size > before)
  return found
}

function holds(type: AvroSchema, wanted: ReadonlySet<AvroNamed>): boolean {
  switch (type.kind) {
    case 'record':
      return wanted.has(type)
    case 'array':
      return holds(type.items, wanted)
    case 'map':
      return holds(type.values, wanted)
    case 'union':
      return type.branches.some((branch) => holds(branch, wanted))
    default:
      return false
  }
}
