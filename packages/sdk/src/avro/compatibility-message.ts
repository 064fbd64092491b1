import { type AvroSchema, isNamed, nameOf } from './avro-schema.ts'
import type { DataCondition, Incompatibility } from './compatibility.ts'

/** What the two sides are called, such as `the new version` and `version 3`. */
export interface Sides {
  readonly reader: string
  readonly writer: string
}

type Described = Omit<Incompatibility, 'message'>

/** One sentence: what does not fit, and which data fails. */
export function describeIncompatibility(finding: Described, sides: Sides): string {
  const also = finding.alsoAt.length === 0 ? '' : `; the same at ${finding.alsoAt.join(', ')}`
  return `${describeMismatch(finding, sides)}: ${describeFailingData(finding, sides)}${also}.`
}

/** What does not fit, without a full stop. */
export function describeMismatch(finding: Described, { reader, writer }: Sides): string {
  const missing = finding.missing.join(', ')
  switch (finding.kind) {
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return `${reader} needs the field "${missing}" of ${nameOf(finding.reader)}, which ${writer} does not write, and has no default for it`
    case 'MISSING_ENUM_SYMBOLS':
      return `${writer} may write ${missing} for the enum ${nameOf(finding.reader)}, which ${reader} does not know and has no default for`
    case 'FIXED_SIZE_MISMATCH':
      return `${writer} writes ${sizeOf(finding.writer)} bytes for ${nameOf(finding.reader)}, and ${reader} reads ${sizeOf(finding.reader)}`
    case 'MISSING_UNION_BRANCH':
      return `${writer} may write ${missing}, and ${reader} takes only ${describeType(finding.reader)}`
    case 'TYPE_MISMATCH':
      return `${writer} writes ${describeType(finding.writer)}, and ${reader} reads ${describeType(finding.reader)}`
    case 'NAME_MISMATCH':
      return finding.missing.length > 1
        ? `${writer} has the fields ${missing}, and by its aliases ${reader} takes each of them for the same one`
        : `${writer} calls the ${finding.writer.kind} ${missing}, and ${reader} calls it ${nameOf(finding.reader)}`
  }
}

/** Which data fails: `every record fails`, `records whose "note" is null fail`. */
export function describeFailingData(finding: Pick<Incompatibility, 'when'>, { writer }: Pick<Sides, 'writer'>): string {
  const conditions = finding.when.map(describeCondition)
  if (conditions.length === 0) return `all data of ${writer} fails`
  return `data of ${writer} fails where ${conditions.join(' and ')}`
}

function describeCondition({ path, holds, names }: DataCondition): string {
  const place = path === '' ? 'it' : path
  switch (holds) {
    case 'some':
      return `${place} is not empty`
    case 'is':
    case 'symbol':
      return `${place} is ${names.join(' or ')}`
  }
}

/** A type in words: `null or string`, `a list of shop.orders.v1.OrderLine`. */
export function describeType(schema: AvroSchema): string {
  switch (schema.kind) {
    case 'union':
      return schema.branches.map(describeType).join(' or ')
    case 'array':
      return `a list of ${describeType(schema.items)}`
    case 'map':
      return `a map of ${describeType(schema.values)}`
    default:
      if (isNamed(schema)) return `${schema.kind} ${schema.name}`
      return schema.logicalType === undefined ? schema.kind : `${schema.kind} (${schema.logicalType})`
  }
}

function sizeOf(schema: AvroSchema): number {
  return schema.kind === 'fixed' ? schema.size : 0
}
