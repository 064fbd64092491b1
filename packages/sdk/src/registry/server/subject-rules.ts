/** What may become of subjects and their versions. */
import { type CompatibilityMode, checkVersions, type SchemaVersion } from '../../avro/compatibility-mode.ts'
import { type IncomingSchema, treeOf } from './incoming-schema.ts'
import { faults } from './registry-fault.ts'
import { mustBeWritable, mustTakeSchemas } from './registry-settings.ts'
import type { RegistryRecords, StoredSchema, StoredVersion } from './registry-store.ts'

/** Versions of a subject that are not hidden; @throws RegistryFault 40401 when there are none. */
export async function visibleVersions(
  records: RegistryRecords,
  subject: string,
  { deleted = false }: { readonly deleted?: boolean } = {},
): Promise<readonly StoredVersion[]> {
  const versions = (await records.versions(subject)).filter((version) => deleted || !version.deleted)
  if (versions.length === 0) throw faults.subjectNotFound(subject)
  return versions
}

/** The version that a path names: a number, `latest` or `-1`. */
export async function versionNamed(
  records: RegistryRecords,
  subject: string,
  name: string,
  options: { readonly deleted?: boolean } = {},
): Promise<StoredVersion> {
  const number = versionNumber(name)
  const versions = await visibleVersions(records, subject, options)
  const found = number === 'latest' ? versions.at(-1) : versions.find((candidate) => candidate.version === number)
  if (found === undefined) throw faults.versionNotFound(name)
  return found
}

export function versionNumber(name: string): number | 'latest' {
  if (name === 'latest' || name === '-1') return 'latest'
  if (!/^\d{1,10}$/.test(name) || Number(name) < 1 || Number(name) >= 2 ** 31) throw faults.invalidVersion(name)
  return Number(name)
}

export async function schemaOf(records: RegistryRecords, { schemaId }: StoredVersion): Promise<StoredSchema> {
  const schema = await records.schema(schemaId)
  if (schema === undefined) throw faults.idNotFound(schemaId)
  return schema
}

/** The subject's version with this schema, if it has one. */
export async function versionWith(
  records: RegistryRecords,
  versions: readonly StoredVersion[],
  incoming: IncomingSchema,
): Promise<StoredVersion | undefined> {
  const schema = await records.schemaByGuid(incoming.guid)
  return schema && versions.findLast(({ schemaId }) => schemaId === schema.id)
}

/** What speaks against a schema as the next version, each in a sentence; nothing when it fits. */
export async function objections(
  records: RegistryRecords,
  incoming: IncomingSchema,
  earlier: readonly StoredVersion[],
  mode: CompatibilityMode,
): Promise<readonly string[]> {
  if (mode === 'NONE') return []
  const versions: SchemaVersion[] = []
  for (const version of earlier)
    versions.push({
      name: `version ${version.version}`,
      schema: await treeOf(await schemaOf(records, version), records),
    })
  return checkVersions({ mode, next: incoming.tree, earlier: versions }).map(
    ({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`,
  )
}

/** Makes a schema the subject's next version, unless it has it already. */
export async function register(
  records: RegistryRecords,
  subject: string,
  incoming: IncomingSchema,
  mode: CompatibilityMode,
): Promise<{ readonly schema: StoredSchema; readonly version: number }> {
  await mustTakeSchemas(records, subject, incoming.id !== undefined)
  const all = await records.versions(subject)
  const visible = all.filter(({ deleted }) => !deleted)
  const present = await versionWith(records, visible, incoming)
  if (present !== undefined && (incoming.id === undefined || incoming.id === present.schemaId))
    return { schema: await schemaOf(records, present), version: present.version }
  // What is imported was checked where it comes from.
  const against = incoming.id === undefined ? await objections(records, incoming, visible, mode) : []
  if (against.length > 0)
    throw faults.incompatible(
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${against.join(' | ')}] (compatibility: ${mode})`,
    )
  const next = (all.at(-1)?.version ?? 0) + 1
  const version = incoming.id === undefined ? next : (incoming.version ?? next)
  if (all.some((taken) => taken.version === version))
    throw faults.notPermitted(`Subject ${subject} has another schema as version ${version}`)
  const schema = await keptSchema(records, incoming)
  await records.putVersion({ subject, version, schemaId: schema.id, deleted: false })
  return { schema, version }
}

async function keptSchema(records: RegistryRecords, incoming: IncomingSchema): Promise<StoredSchema> {
  const same = await records.schemaByGuid(incoming.guid)
  if (same !== undefined && (incoming.id === undefined || incoming.id === same.id)) return same
  if (same !== undefined)
    throw faults.notPermitted(`The schema is here already with id ${same.id} and cannot have id ${incoming.id} too`)
  if (incoming.id !== undefined && (await records.schema(incoming.id)) !== undefined)
    throw faults.notPermitted(`Overwriting the schema with id ${incoming.id} is not permitted`)
  const { guid, schema, references } = incoming
  return records.addSchema({ guid, schema, references }, incoming.id)
}

/** Hides a subject, or removes one that is hidden. Resolves with the numbers of its versions. */
export async function deleteSubject(
  records: RegistryRecords,
  subject: string,
  permanent: boolean,
): Promise<readonly number[]> {
  await mustBeWritable(records, subject)
  const all = await records.versions(subject)
  if (all.length === 0) throw faults.subjectNotFound(subject)
  const visible = all.filter(({ deleted }) => !deleted)
  if (permanent && visible.length > 0) throw faults.subjectNotDeleted(subject)
  if (!permanent && visible.length === 0) throw faults.subjectDeleted(subject)
  const touched = permanent ? all : visible
  for (const version of touched) await mustBeUnreferenced(records, version)
  for (const version of touched) await (permanent ? remove(records, version) : hide(records, version))
  return touched.map(({ version }) => version)
}

/** Hides a version, or removes one that is hidden. Resolves with its number. */
export async function deleteVersion(
  records: RegistryRecords,
  subject: string,
  name: string,
  permanent: boolean,
): Promise<number> {
  await mustBeWritable(records, subject)
  const version = await versionNamed(records, subject, name, { deleted: versionNumber(name) !== 'latest' })
  if (permanent && !version.deleted) throw faults.versionNotDeleted(subject, version.version)
  if (!permanent && version.deleted) throw faults.versionDeleted(subject, version.version)
  await mustBeUnreferenced(records, version)
  await (permanent ? remove(records, version) : hide(records, version))
  return version.version
}

async function mustBeUnreferenced(records: RegistryRecords, { subject, version, deleted }: StoredVersion) {
  const referrers = await records.referrers(subject, version)
  // A hidden referrer can still be read by id, so what it needs must stay, though it may be hidden too.
  if (referrers.some((referrer) => deleted || !referrer.deleted)) throw faults.referenced(subject, version)
}

function hide(records: RegistryRecords, version: StoredVersion): Promise<void> {
  return records.putVersion({ ...version, deleted: true })
}

async function remove(records: RegistryRecords, { subject, version, schemaId }: StoredVersion): Promise<void> {
  await records.removeVersion(subject, version)
  if ((await records.versionsOfSchema(schemaId)).length === 0) await records.removeSchema(schemaId)
}
