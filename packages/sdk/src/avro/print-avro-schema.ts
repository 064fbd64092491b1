import type { AvroField, AvroSchema } from './avro-schema.ts'

/**
 * A schema as a JSON document that stands by itself: types of other documents are written out where they are first used.
 * Docs and attributes are kept. The same schema always gives the same document.
 */
export function printAvroSchema(schema: AvroSchema): unknown {
  return print(schema, new Set())
}

function print(schema: AvroSchema, defined: Set<string>): unknown {
  switch (schema.kind) {
    case 'union':
      return schema.branches.map((branch) => print(branch, defined))
    case 'array':
      return { type: 'array', items: print(schema.items, defined), ...schema.attributes }
    case 'map':
      return { type: 'map', values: print(schema.values, defined), ...schema.attributes }
    case 'record':
    case 'enum':
    case 'fixed':
      break
    default: {
      const { kind, logicalType, precision, scale, attributes } = schema
      const plain = logicalType === undefined && Object.keys(attributes).length === 0
      return plain ? kind : { type: kind, ...given({ logicalType, precision, scale }), ...attributes }
    }
  }
  if (defined.has(schema.name)) return schema.name
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
  return { ...head, fields: schema.fields.map((field) => printField(field, defined)), ...schema.attributes }
}

function printField(field: AvroField, defined: Set<string>): unknown {
  return {
    name: field.name,
    type: print(field.type, defined),
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
