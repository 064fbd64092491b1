import { type AvroField, type AvroNamed, type AvroRecord, type AvroSchema, isNamed } from '../avro/avro-schema.ts'
import type { ContractProblems } from './contract-problems.ts'
import type { SchemaFiles } from './schema-files.ts'
import { describe } from './yaml-file.ts'

/**
 * Checks what we ask of schemas beyond what Avro does: words about every record and field, and a `pii` that can be relied on.
 * Types of other files are left to those files.
 */
export function checkHouseRules(
  file: string,
  schema: AvroNamed,
  schemas: SchemaFiles,
  problems: ContractProblems,
): void {
  const seen = new Set<AvroRecord>()
  const look = (type: AvroSchema, path: string): void => {
    if (type.kind === 'array') look(type.items, `${path}[]`)
    else if (type.kind === 'map') look(type.values, `${path}{}`)
    else if (type.kind === 'union') for (const branch of type.branches) look(branch, path)
    else if (isNamed(type) && schemas.fileOf(type.name) !== file) return
    else if (type.kind === 'record' && !seen.has(type)) {
      seen.add(type)
      lookAtRecord(type, path)
    }
  }
  const lookAtRecord = (record: AvroRecord, path: string): void => {
    if (isBlank(record.doc)) problems.add(placeOf(file, path), `record ${record.name} has no doc; say what it is`)
    for (const field of record.fields) {
      const inside = path === '' ? field.name : `${path}.${field.name}`
      if (isBlank(field.doc))
        problems.add(placeOf(file, inside), 'the field has no doc; say what it holds and in which unit')
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
