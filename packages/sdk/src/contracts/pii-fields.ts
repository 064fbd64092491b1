import type { AvroPath, AvroRecord, AvroSchema } from '../avro/avro-schema.ts'

/**
 * Paths of the fields that say something about a person (`"pii": true`), in the order of the schema: `recipient.email`,
 * `lines[].giftNote`. Within a record that holds itself, each field is named once.
 */
export function piiFields(record: AvroRecord): AvroPath[] {
  const found: AvroPath[] = []
  collect(record, '', new Set(), found)
  return found
}

function collect(schema: AvroSchema, path: AvroPath, around: ReadonlySet<AvroRecord>, found: AvroPath[]): void {
  switch (schema.kind) {
    case 'array':
      collect(schema.items, `${path}[]`, around, found)
      break
    case 'map':
      collect(schema.values, `${path}{}`, around, found)
      break
    case 'union':
      for (const branch of schema.branches) collect(branch, path, around, found)
      break
    case 'record': {
      if (around.has(schema)) return
      const inside = new Set(around).add(schema)
      for (const field of schema.fields) {
        const at = path === '' ? field.name : `${path}.${field.name}`
        // All that is in a personal field is personal, so its parts need no mention; two branches may mark the same path.
        if (field.attributes.pii !== true) collect(field.type, at, inside, found)
        else if (!found.includes(at)) found.push(at)
      }
    }
  }
}
