import { createHash } from 'node:crypto'
import type { AvroSchema } from '../../avro/avro-schema.ts'
import { printAvroSchema } from '../../avro/print-avro-schema.ts'
import { InvalidSchemaError } from '../../core/errors.ts'
import { isJsonObject, type SchemaReference } from '../registry-answers.ts'
import { jsonOf, parseWithReferences } from '../resolve-references.ts'
import { faults, RegistryFault } from './registry-fault.ts'
import type { RegistryRecords, StoredSchema } from './registry-store.ts'

/** A schema that a request brings, read and found good. */
export interface IncomingSchema extends Omit<StoredSchema, 'id'> {
  readonly tree: AvroSchema
  /** Only while schemas are imported from another registry. */
  readonly id: number | undefined
  readonly version: number | undefined
}

/** @throws RegistryFault 42201 when it is no Avro schema, or refers to what is not there. */
export async function readIncoming(body: unknown, records: RegistryRecords): Promise<IncomingSchema> {
  if (!isJsonObject(body)) throw faults.malformed('expected a JSON object with "schema"')
  const { schema, schemaType = 'AVRO', id, version } = body
  if (typeof schema !== 'string' || schema === '')
    throw faults.invalidSchema('expected "schema" as the text of a JSON document')
  if (schemaType !== null && schemaType !== 'AVRO')
    throw faults.invalidSchema(`schemas of the type ${JSON.stringify(schemaType)} are not supported, only AVRO`)
  const references = readReferences(body.references)
  const tree = await invalidAsFault(() => parseWithReferences({ schema, references }, finder(records), 'the schema'))
  const canonical = JSON.stringify(printAvroSchema(tree))
  return {
    tree,
    references,
    // What refers to others stands in the words of its author: written out, it would no longer refer to anything.
    schema: references.length === 0 ? canonical : JSON.stringify(jsonOf(schema, 'the schema')),
    guid: guidOf(canonical, references),
    id: positive(id),
    version: positive(version),
  }
}

/** A stored schema as a tree. */
export function treeOf(stored: StoredSchema, records: RegistryRecords): Promise<AvroSchema> {
  return parseWithReferences(stored, finder(records), `schema ${stored.id}`)
}

function readReferences(value: unknown): readonly SchemaReference[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw faults.invalidSchema('expected "references" as a list')
  return value.map((item) => {
    const { name, subject, version } = isJsonObject(item) ? item : {}
    if (typeof name !== 'string' || typeof subject !== 'string' || positive(version) !== version)
      throw faults.invalidSchema('expected each of "references" with "name", "subject" and "version"')
    return { name, subject, version: Number(version) }
  })
}

/** Finds what references name; a version that is hidden still counts for those that refer to it already. */
function finder(records: RegistryRecords) {
  return async ({ subject, version }: SchemaReference): Promise<StoredSchema> => {
    const found = (await records.versions(subject)).find((candidate) => candidate.version === version)
    const schema = found && (await records.schema(found.schemaId))
    if (schema === undefined)
      throw faults.invalidSchema(`No schema reference found for subject "${subject}" and version ${version}`)
    return schema
  }
}

async function invalidAsFault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof RegistryFault) throw error
    if (error instanceof InvalidSchemaError) throw faults.invalidSchema(`Invalid schema: ${error.message}`)
    throw error
  }
}

/** Of the form of a UUID, but derived: version 8 is the one for numbers made one's own way. */
function guidOf(canonical: string, references: readonly SchemaReference[]): string {
  const sorted = references.map(({ name, subject, version }) => JSON.stringify([name, subject, version])).sort()
  const bytes = createHash('sha256')
    .update(JSON.stringify([canonical, sorted]))
    .digest()
    .subarray(0, 16)
  bytes.writeUInt8(((bytes[6] ?? 0) & 0x0f) | 0x80, 6)
  bytes.writeUInt8(((bytes[8] ?? 0) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31 ? value : undefined
}
