import {
  type AvroField,
  type AvroNamed,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  isNamed,
} from '../avro/avro-schema.ts'
import { describeType } from '../avro/compatibility-message.ts'
import { isWrappedUnion, javaScriptKindOf } from '../avro/javascript-kind.ts'
import type { ContractProblems } from './contract-problems.ts'
import type { ContractRemark } from './contracts.ts'
import type { SchemaFiles } from './schema-files.ts'
import { describe } from './yaml-file.ts'

/**
 * Checks what we ask of schemas beyond what Avro does. What could not be relied on is a problem: a `pii` that is no flag, a
 * default that JSON rounds, a union that JSON cannot tell apart. Words that are missing are a remark. Types of other files are
 * left to those files.
 *
 * @param remark is told of each remark.
 */
export function checkHouseRules(
  file: string,
  schema: AvroNamed,
  schemas: SchemaFiles,
  problems: ContractProblems,
  remark: (one: ContractRemark) => void,
): void {
  const seen = new Set<AvroRecord>()
  const look = (type: AvroSchema, path: string): void => {
    if (type.kind === 'array') look(type.items, `${path}[]`)
    else if (type.kind === 'map') look(type.values, `${path}{}`)
    else if (type.kind === 'union') {
      const alike = writtenAsText(type)
      if (alike.length > 1)
        problems.add(
          placeOf(file, path),
          `it may be ${alike.map(describeType).join(' or ')}, and JSON writes ${alike.length === 2 ? 'both' : 'all of them'} as text, so that one could be read as the other; give each a field of its own, or put one of them into a record`,
        )
      for (const branch of type.branches) look(branch, path)
    } else if (isNamed(type) && schemas.fileOf(type.name) !== file) return
    else if (type.kind === 'record' && !seen.has(type)) {
      seen.add(type)
      lookAtRecord(type, path)
    }
  }
  const lookAtRecord = (record: AvroRecord, path: string): void => {
    if (isBlank(record.doc))
      remark({ file, path, type: record.name, message: `record ${record.name} has no doc; say what it is.` })
    for (const field of record.fields) {
      const inside = path === '' ? field.name : `${path}.${field.name}`
      if (isBlank(field.doc))
        remark({
          file,
          path: inside,
          type: record.name,
          message: `the field ${field.name} has no doc; say what it holds and in which unit.`,
        })
      const { pii } = field.attributes
      if (pii !== undefined && typeof pii !== 'boolean')
        problems.add(placeOf(file, inside), `"pii" must be true or false, got ${describe(pii)}`)
      if (hasRoundedDefault(field))
        problems.add(placeOf(file, inside), 'its default is beyond 2^53, where JSON rounds numbers; take a smaller one')
      look(field.type, inside)
    }
  }
  look(schema, '')
}

/** The branches of a union whose values JSON writes as text, where nothing is written beside the value to tell them apart. */
function writtenAsText(union: AvroUnion): readonly AvroSchema[] {
  if (isWrappedUnion(union)) return []
  return union.branches.filter((branch) => {
    const kind = branch.kind === 'union' ? undefined : javaScriptKindOf(branch)
    return kind === 'text' || kind === 'timestamp' || kind === 'bigint' || kind === 'bytes'
  })
}

/** Reading the file has rounded it already, so what is written there is not what any reader would fill in. */
function hasRoundedDefault({ type, default: given }: AvroField): boolean {
  const filledIn = type.kind === 'union' ? type.branches[0] : type
  return filledIn?.kind === 'long' && given !== undefined && !Number.isSafeInteger(given.value)
}

function isBlank(doc: string | undefined): boolean {
  return doc === undefined || doc.trim() === ''
}

function placeOf(file: string, path: string): string {
  return path === '' ? file : `${file} at ${path}`
}
