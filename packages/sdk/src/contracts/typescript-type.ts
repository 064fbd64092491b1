import {
  type AvroFixed,
  type AvroNamed,
  type AvroPrimitive,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  nameOf,
} from '../avro/avro-schema.ts'
import { isWrappedUnion, logicalFormOf } from '../avro/javascript-kind.ts'
import { docComment, fieldDoc, valueDoc } from './typescript-doc.ts'
import { lineWidth, textLiteral } from './typescript-literal.ts'

/** What the types are called. */
interface TypeNames {
  type(schema: AvroNamed): string
}

/** The declaration of a record, an enum or a fixed: what its values look like in JavaScript. */
export function typeDeclaration(schema: AvroNamed, names: TypeNames): string {
  const name = names.type(schema)
  if (schema.kind === 'record') return recordDeclaration(schema, [schema.doc], name, names)
  if (schema.kind === 'fixed')
    return `${docComment([valueDoc(schema) ?? `${schema.size} bytes.`], 0)}export type ${name} = ${typeText(schema, names, true)}\n`
  const unknownSymbol =
    schema.default === undefined ? undefined : `A symbol that is not known here is read as ${schema.default}.`
  const doc = docComment([[schema.doc, unknownSymbol].filter((text) => text !== undefined).join(' ')], 0)
  return `${doc}export type ${name} =${unionText(schema.symbols.map(textLiteral), 0, `export type ${name} =`.length)}\n`
}

/**
 * The declaration of a record as a publisher gives it: what has a default may be left out.
 *
 * @param names what publishers call the types.
 * @param type what readers call this one.
 */
export function inputDeclaration(schema: AvroRecord, names: TypeNames, type: string): string {
  const says = [`${type} as it is published: a field with a default may be left out.`]
  return recordDeclaration(schema, says, names.type(schema), names, true)
}

function recordDeclaration(
  schema: AvroRecord,
  says: readonly (string | undefined)[],
  name: string,
  names: TypeNames,
  isInput = false,
): string {
  const doc = docComment(says, 0)
  if (schema.fields.length === 0) return `${doc}export type ${name} = Readonly<Record<string, never>>\n`
  const fields = schema.fields.map((field) => {
    const start = `readonly ${field.name}${isInput && field.default !== undefined ? '?' : ''}:`
    const type = fieldType(field.type, 2, 2 + start.length, names)
    return `${docComment(fieldDoc(field), 2)}  ${start}${type}\n`
  })
  return `${doc}export interface ${name} {\n${fields.join('')}}\n`
}

/** A field's type behind what stands before it; unions, and lists of them, are broken into lines where one is not enough. */
function fieldType(type: AvroSchema, indent: number, before: number, names: TypeNames): string {
  if (type.kind === 'union') return unionText(branchTexts(type, names), indent, before)
  const line = ` ${typeText(type, names)}`
  if (before + line.length <= lineWidth || type.kind !== 'array' || type.items.kind !== 'union') return line
  const broken = branchTexts(type.items, names).map((branch) => `\n${' '.repeat(indent + 2)}| ${branch}`)
  return ` readonly (${broken.join('')}\n${' '.repeat(indent)})[]`
}

/** A union behind what stands before it; broken into lines where one is not enough. */
function unionText(branches: readonly string[], indent: number, before: number): string {
  const line = ` ${branches.join(' | ')}`
  if (before + line.length <= lineWidth || branches.length < 2) return line
  return branches.map((branch) => `\n${' '.repeat(indent + 2)}| ${branch}`).join('')
}

/** The type of a schema's values. Named types by their names, unless it is the declaration that is written. */
function typeText(schema: AvroSchema, names: TypeNames, isDeclaration = false): string {
  switch (schema.kind) {
    case 'null':
    case 'boolean':
    case 'string':
      return schema.kind
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
      return formText(schema)
    case 'fixed':
      return isDeclaration ? formText(schema) : names.type(schema)
    case 'enum':
    case 'record':
      return names.type(schema)
    case 'array': {
      const items = typeText(schema.items, names)
      return `readonly ${needsParentheses(schema.items, items) ? `(${items})` : items}[]`
    }
    case 'map':
      return `Readonly<Record<string, ${typeText(schema.values, names)}>>`
    case 'union':
      return branchTexts(schema, names).join(' | ')
  }
}

function formText(schema: AvroPrimitive | AvroFixed): string {
  switch (logicalFormOf(schema)) {
    case 'timestamp':
      return 'Date'
    case 'bigint':
      return 'bigint'
    case 'date':
    case 'decimal':
    case 'uuid':
      return 'string'
    case undefined:
      return schema.kind === 'bytes' || schema.kind === 'fixed' ? 'Buffer' : 'number'
  }
}

function needsParentheses(schema: AvroSchema, text: string): boolean {
  return schema.kind === 'array' || text.includes(' | ')
}

/** Null stands last, where it is looked for. */
function branchTexts(union: AvroUnion, names: TypeNames): string[] {
  const branches = union.branches.filter((branch) => branch.kind !== 'null')
  const texts = isWrappedUnion(union)
    ? branches.map((branch) => `{ readonly ${wrapperName(branch)}: ${typeText(branch, names)} }`)
    : branches.map((branch) => typeText(branch, names))
  const hasNull = branches.length < union.branches.length
  return [...texts, ...(hasNull ? ['null'] : [])]
}

function wrapperName(branch: AvroSchema): string {
  const name = nameOf(branch)
  return name.includes('.') ? textLiteral(name) : name
}
