import type { AvroField, AvroSchema } from './avro-schema.ts'
import { nameOf } from './avro-schema.ts'
import type { Incompatibility } from './compatibility.ts'
import { describeType } from './compatibility-message.ts'

/** How to make a change safely: concrete steps, best first. `backward`: the new schema reads; `forward`: an old one does. */
export function adviceFor(finding: Incompatibility, direction: 'backward' | 'forward'): readonly string[] {
  return direction === 'backward' ? toReadOld(finding) : toBeReadByOld(finding)
}

function toReadOld(finding: Incompatibility): readonly string[] {
  const { kind, missing, reader, writer, path } = finding
  const [name = ''] = missing
  switch (kind) {
    case 'READER_FIELD_MISSING_DEFAULT_VALUE': {
      const field = fieldOf(reader, name)
      const renamed = field === undefined ? undefined : formerName(field, reader, writer)
      return [
        ...(renamed === undefined
          ? []
          : [`If "${name}" is "${renamed}" by another name, give it "aliases": ["${renamed}"].`]),
        `Give "${name}" a default${field === undefined ? '' : suggestedDefault(field.type)}: old data is read as having it.`,
      ]
    }
    case 'MISSING_ENUM_SYMBOLS':
      return [
        `Keep ${missing.join(', ')} in ${nameOf(reader)}: what was written stays written. Say in its doc that nobody writes it any more.`,
        `Or give ${nameOf(reader)} a "default" symbol, if reading ${missing.join(', ')} as that symbol is right for every consumer.`,
      ]
    case 'FIXED_SIZE_MISMATCH':
      return [`Keep the size, and put the longer or shorter value into a new field beside "${path}", with a default.`]
    case 'MISSING_UNION_BRANCH':
      return [`Keep ${missing.join(', ')} in the union of "${path}": ${stillThere(reader, name)}`]
    case 'TYPE_MISMATCH':
      return writer.kind === 'null'
        ? [`Keep null in the type of "${path}": ["null", ${describeInJson(reader)}]. Old data has nothing there.`]
        : [
            `Keep ${describeType(writer)} for "${path}", and add a new field with a default for ${describeType(reader)}.`,
            'Widening is safe by itself: int to long, float or double; long to float or double; float to double; string to bytes and back.',
          ]
    case 'NAME_MISMATCH':
      return missing.length > 1
        ? [`Take the alias off that stands for two fields at once, of ${missing.join(', ')}.`]
        : [`Keep the name ${name}, or give ${nameOf(reader)} "aliases": ["${name}"].`]
  }
}

function toBeReadByOld(finding: Incompatibility): readonly string[] {
  const { kind, missing, reader, path } = finding
  const [name = ''] = missing
  switch (kind) {
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return [
        `Keep writing "${name}": consumers that run today cannot do without it.`,
        `To take it away in two steps: first give it a default and let every consumer take that version, then remove it.`,
      ]
    case 'MISSING_ENUM_SYMBOLS':
      return [
        `In two steps: first give ${nameOf(reader)} a "default" symbol and let every consumer take that version, then add ${missing.join(', ')}.`,
      ]
    case 'FIXED_SIZE_MISMATCH':
      return [`Keep the size, and put the longer or shorter value into a new field beside "${path}".`]
    case 'MISSING_UNION_BRANCH':
    case 'TYPE_MISMATCH':
      return [`Keep "${path}" as ${describeType(reader)}, and put the new kind of value into a new field beside it.`]
    case 'NAME_MISMATCH':
      return missing.length > 1
        ? [`Write only one of ${missing.join(', ')}.`]
        : [`Keep the name ${nameOf(reader)}: consumers that run today know no other.`]
  }
}

function fieldOf(schema: AvroSchema, name: string): AvroField | undefined {
  return schema.kind === 'record' ? schema.fields.find((field) => field.name === name) : undefined
}

/** The one field of the old record that is gone and has the same type: probably the same thing, renamed. */
function formerName(field: AvroField, reader: AvroSchema, writer: AvroSchema): string | undefined {
  if (reader.kind !== 'record' || writer.kind !== 'record') return undefined
  const gone = writer.fields.filter(
    (one) =>
      !reader.fields.some((kept) => kept.name === one.name || kept.aliases.includes(one.name)) &&
      describeType(one.type) === describeType(field.type),
  )
  return gone.length === 1 ? gone[0]?.name : undefined
}

function suggestedDefault(type: AvroSchema): string {
  switch (type.kind) {
    case 'union':
      return type.branches[0]?.kind === 'null'
        ? ', "default": null'
        : type.branches.some((branch) => branch.kind === 'null')
          ? ': put "null" first in its type and say "default": null'
          : ''
    case 'array':
      return ', such as "default": []'
    case 'map':
      return ', such as "default": {}'
    case 'boolean':
      return ', such as "default": false'
    case 'enum':
      return `, such as "default": "${type.default ?? type.symbols[0]}"`
    default:
      return `, or make it nullable: "type": ["null", ${describeInJson(type)}], "default": null`
  }
}

function stillThere(reader: AvroSchema, name: string): string {
  return reader.kind === 'union'
    ? `what was written as ${name} stays written. To write it no more, say so in the doc.`
    : 'what was written stays written.'
}

function describeInJson(type: AvroSchema): string {
  return type.kind === 'array' || type.kind === 'map' || type.kind === 'union' ? '…' : JSON.stringify(nameOf(type))
}
