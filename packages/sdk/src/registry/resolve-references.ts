import type { AvroNamed, AvroSchema } from '../avro/avro-schema.ts'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { InvalidSchemaError } from '../core/errors.ts'
import type { AnsweredSchema, SchemaReference } from './registry-answers.ts'

/** How far references lead, and how many there are: more is no contract but an attack or a mistake. */
const limits = { depth: 16, count: 200 } as const

/**
 * Reads a schema together with everything it refers to.
 *
 * @param fetch finds what a reference names.
 * @throws InvalidSchemaError when the text is no Avro schema, or the references lead in a circle or too far.
 */
export async function parseWithReferences(
  { schema, references }: Pick<AnsweredSchema, 'schema' | 'references'>,
  fetch: (reference: SchemaReference) => Promise<Pick<AnsweredSchema, 'schema' | 'references'>>,
  title: string,
): Promise<AvroSchema> {
  const named = new Map<string, AvroNamed>()
  const done = new Set<string>()

  const gather = async (list: readonly SchemaReference[], way: readonly string[]): Promise<void> => {
    for (const reference of list) {
      const key = `${reference.subject} version ${reference.version}`
      if (way.includes(key))
        throw new InvalidSchemaError(`${title}: its references lead in a circle: ${[...way, key].join(' → ')}`)
      if (done.has(key)) continue
      if (way.length >= limits.depth || done.size >= limits.count)
        throw new InvalidSchemaError(
          `${title}: its references lead further than ${limits.depth} steps or to more than ${limits.count} schemas`,
        )
      done.add(key)
      const found = await fetch(reference)
      await gather(found.references, [...way, key])
      define(
        parseAvroSchema(jsonOf(found.schema, key), { resolve: (name) => named.get(name), title: key, lenient: true }),
        named,
      )
    }
  }

  await gather(references, [])
  return parseAvroSchema(jsonOf(schema, title), { resolve: (name) => named.get(name), title, lenient: true })
}

/** @throws InvalidSchemaError */
export function jsonOf(schema: string, title: string): unknown {
  try {
    return JSON.parse(schema)
  } catch (cause) {
    throw new InvalidSchemaError(`${title}: expected an Avro schema as JSON, got text that is not JSON`, { cause })
  }
}

/** Notes every type with a name that a schema defines, however deep. */
function define(schema: AvroSchema, named: Map<string, AvroNamed>): void {
  switch (schema.kind) {
    case 'record':
      if (named.get(schema.name) === schema) return
      named.set(schema.name, schema)
      for (const field of schema.fields) define(field.type, named)
      return
    case 'enum':
    case 'fixed':
      named.set(schema.name, schema)
      return
    case 'array':
      define(schema.items, named)
      return
    case 'map':
      define(schema.values, named)
      return
    case 'union':
      for (const branch of schema.branches) define(branch, named)
  }
}
