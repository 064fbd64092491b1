import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import type { SchemaReference } from './registry-answers.ts'

/**
 * The text under which a schema is sent: compact and always the same for the same schema, because some registries compare
 * letter by letter. One that leans on references is sent as it was written, without white space.
 *
 * @throws InvalidSchemaError
 */
export function schemaText(document: unknown, references: readonly SchemaReference[] = []): string {
  return JSON.stringify(references.length > 0 ? document : printAvroSchema(parseAvroSchema(document)))
}

/** Texts of documents that were sent before; a document must not be changed after that. */
const known = new WeakMap<object, string>()

/** As {@link schemaText} of a schema that stands by itself, written once for each document. */
export function rememberedSchemaText(document: unknown): string {
  if (typeof document !== 'object' || document === null) return schemaText(document)
  const before = known.get(document)
  if (before !== undefined) return before
  const text = schemaText(document)
  known.set(document, text)
  return text
}
