import type { AvroRecord, AvroSchema } from './avro-schema.ts'

/** The first of these records that no value can ever be of, since each would hold another one of it. */
export function endlessRecord(records: Iterable<AvroRecord>): AvroRecord | undefined {
  const ending = new Set<AvroRecord>()
  for (const record of records) if (!ends(record, new Set(), ending)) return record
  return undefined
}

/** @param ending records that are known to end; without them a tree of records would be walked again and again */
function ends(schema: AvroSchema, around: ReadonlySet<AvroRecord>, ending: Set<AvroRecord>): boolean {
  // Lists and maps may be empty.
  if (schema.kind === 'union') return schema.branches.some((branch) => ends(branch, around, ending))
  if (schema.kind !== 'record' || ending.has(schema)) return true
  if (around.has(schema)) return false
  const inside = new Set(around).add(schema)
  if (!schema.fields.every((field) => ends(field.type, inside, ending))) return false
  ending.add(schema)
  return true
}
