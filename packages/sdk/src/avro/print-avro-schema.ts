import { InvalidSchemaError } from '../core/errors.ts'
import type { AvroField, AvroSchema } from './avro-schema.ts'

/**
 * A schema as a JSON document that stands by itself: types of other documents are written out where they are first used.
 * Docs and attributes are kept. The same schema always gives the same document.
 *
 * @throws InvalidSchemaError when a type without a namespace could only be named so that readers take another one for it.
 */
export function printAvroSchema(schema: AvroSchema): unknown {
  return print(schema, new Set(), '')
}

/** @param space the namespace around */
function print(schema: AvroSchema, defined: Set<string>, space: string): unknown {
  switch (schema.kind) {
    case 'union':
      return schema.branches.map((branch) => print(branch, defined, space))
    case 'array':
      return { type: 'array', items: print(schema.items, defined, space), ...schema.attributes }
    case 'map':
      return { type: 'map', values: print(schema.values, defined, space), ...schema.attributes }
    case 'record':
    case 'enum':
    case 'fixed':
      break
    default: {
      const { kind, logicalType, precision, scale, attributes } = schema
      const more = { ...given({ logicalType, precision, scale }), ...attributes }
      return Object.keys(more).length === 0 ? kind : { type: kind, ...more }
    }
  }
  if (defined.has(schema.name)) return reference(schema.name, defined, space)
  defined.add(schema.name)
  const names = {
    type: schema.kind,
    name: schema.name,
    // Said aloud, or a reader would put it into the namespace around it.
    ...(!schema.name.includes('.') && { namespace: '' }),
    ...(schema.aliases.length > 0 && { aliases: schema.aliases }),
  }
  if (schema.kind === 'fixed') {
    const { size, logicalType, precision, scale, attributes } = schema
    return { ...names, size, ...given({ logicalType, precision, scale }), ...attributes }
  }
  const head = { ...names, ...given({ doc: schema.doc }) }
  if (schema.kind === 'enum')
    return { ...head, symbols: schema.symbols, ...given({ default: schema.default }), ...schema.attributes }
  const inside = schema.name.slice(0, Math.max(schema.name.lastIndexOf('.'), 0))
  return { ...head, fields: schema.fields.map((field) => printField(field, defined, inside)), ...schema.attributes }
}

function reference(name: string, defined: ReadonlySet<string>, space: string): string {
  // Avro has no way to say "without a namespace" here: readers look nearby first.
  if (!name.includes('.') && space !== '' && defined.has(`${space}.${name}`))
    throw new InvalidSchemaError(
      `type "${name}" has no namespace and is named where "${space}.${name}" would be taken for it; give it a namespace`,
    )
  return name
}

function printField(field: AvroField, defined: Set<string>, space: string): unknown {
  return {
    name: field.name,
    type: print(field.type, defined, space),
    ...given({ doc: field.doc }),
    ...(field.default !== undefined && { default: field.default.value }),
    ...(field.aliases.length > 0 && { aliases: field.aliases }),
    ...field.attributes,
  }
}

/** Without the names that have nothing to say. */
function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
