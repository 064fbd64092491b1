import type { AvroRecord } from '../avro/avro-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'

/**
 * A record's Avro document in the form that AsyncAPI takes: each name apart from its namespace. Aliases in another
 * namespace have no such form and are left out; they matter to who reads bytes, which this document is not for.
 */
export function asyncApiAvro(record: AvroRecord): unknown {
  return apart(printAvroSchema(record))
}

type Json = Readonly<Record<string, unknown>>

/** Goes only where schemas are: a default may look like one. */
function apart(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(apart)
  if (typeof document !== 'object' || document === null) return document
  // Safe: of what was printed from a schema, every value is looked at as unknown.
  const schema = document as Json
  const { fields, items, values } = schema
  return {
    ...schema,
    ...namesApart(schema),
    ...(Array.isArray(fields) && { fields: fields.map((field: Json) => ({ ...field, type: apart(field.type) })) }),
    ...(items !== undefined && { items: apart(items) }),
    ...(values !== undefined && { values: apart(values) }),
  }
}

function namesApart({ name, aliases }: Json): Json {
  if (typeof name !== 'string') return {}
  const { space, simple } = split(name)
  const near = (Array.isArray(aliases) ? aliases : [])
    .map(String)
    .map(split)
    .filter((alias) => alias.space === space)
  // Said as undefined, to take the place of the full ones.
  return { name: simple, namespace: space, aliases: near.length > 0 ? near.map((alias) => alias.simple) : undefined }
}

function split(fullName: string): { space: string; simple: string } {
  const dot = fullName.lastIndexOf('.')
  return { space: fullName.slice(0, Math.max(dot, 0)), simple: fullName.slice(dot + 1) }
}
