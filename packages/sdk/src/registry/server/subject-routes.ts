import { readIncoming } from './incoming-schema.ts'
import { faults } from './registry-fault.ts'
import { compatibilityInForce } from './registry-settings.ts'
import type { RegistryRecords, StoredSchema, StoredVersion } from './registry-store.ts'
import { type Call, changes, type Route, reads } from './route.ts'
import {
  deleteSubject,
  deleteVersion,
  objections,
  register,
  schemaOf,
  versionNamed,
  versionNumber,
  versionWith,
  visibleVersions,
} from './subject-rules.ts'

/** Schemas, subjects and their versions. */
export const subjectRoutes: readonly Route[] = [
  reads('GET', '', async () => ({})),
  reads('GET', 'schemas/types', async () => ['AVRO']),
  reads('GET', 'schemas', async ({ records, on, text }) => {
    const all = (await records.allVersions(text('subjectPrefix'))).filter(({ deleted }) => on('deleted') || !deleted)
    const latest = new Map(all.map((version) => [version.subject, version]))
    const found = []
    for (const version of on('latestOnly') ? latest.values() : all) found.push(await described(records, version))
    return found
  }),
  reads('GET', 'schemas/ids/*', async ({ records, names: [id] }) => answered(await byId(records, id))),
  reads('GET', 'schemas/ids/*/schema', async ({ records, names: [id] }) => raw(await byId(records, id))),
  reads('GET', 'schemas/ids/*/versions', async ({ records, names: [id], on }) =>
    (await users(records, id, on('deleted'))).map(({ subject, version }) => ({ subject, version })),
  ),
  reads('GET', 'schemas/ids/*/subjects', async ({ records, names: [id], on }) => [
    ...new Set((await users(records, id, on('deleted'))).map(({ subject }) => subject)),
  ]),
  reads('GET', 'schemas/guids/*', async ({ records, names: [guid] }) => answered(await byGuid(records, guid))),
  reads('GET', 'schemas/guids/*/ids', async ({ records, names: [guid] }) => [
    { context: '.', id: (await byGuid(records, guid)).id },
  ]),
  reads('GET', 'subjects', async ({ records, on, text }) => {
    const all = await records.allVersions(text('subjectPrefix'))
    const visible = new Set(all.filter(({ deleted }) => !deleted).map(({ subject }) => subject))
    const names = [...new Set(all.map(({ subject }) => subject))]
    if (on('deletedOnly')) return names.filter((name) => !visible.has(name))
    return names.filter((name) => on('deleted') || visible.has(name))
  }),
  reads('POST', 'subjects/*', async ({ records, names: [subject], body, on }) => {
    const versions = await visibleVersions(records, subject, { deleted: on('deleted') })
    const found = await versionWith(records, versions, await readIncoming(body, records))
    if (found === undefined) throw faults.schemaNotFound()
    return described(records, found)
  }),
  changes('DELETE', 'subjects/*', ({ records, names: [subject], on }) =>
    deleteSubject(records, subject, on('permanent')),
  ),
  reads('GET', 'subjects/*/versions', async ({ records, names: [subject], on }) =>
    (await visibleVersions(records, subject, { deleted: on('deleted') })).map(({ version }) => version),
  ),
  changes('POST', 'subjects/*/versions', async ({ records, names: [subject], body, fallback }) => {
    const mode = await compatibilityInForce(records, subject, fallback)
    const { schema, version } = await register(records, subject, await readIncoming(body, records), mode)
    return { id: schema.id, version, guid: schema.guid }
  }),
  reads('GET', 'subjects/*/versions/*', async ({ records, names: [subject, name], on }) =>
    described(records, await versionNamed(records, subject, name, { deleted: on('deleted') })),
  ),
  changes('DELETE', 'subjects/*/versions/*', ({ records, names: [subject, name], on }) =>
    deleteVersion(records, subject, name, on('permanent')),
  ),
  reads('GET', 'subjects/*/versions/*/schema', async ({ records, names: [subject, name], on }) =>
    raw(await schemaOf(records, await versionNamed(records, subject, name, { deleted: on('deleted') }))),
  ),
  reads('GET', 'subjects/*/versions/*/referencedby', async ({ records, names: [subject, name] }) => {
    const { version } = await versionNamed(records, subject, name)
    const referrers = await records.referrers(subject, version)
    return [...new Set(referrers.filter(({ deleted }) => !deleted).map(({ schemaId }) => schemaId))]
  }),
  reads('POST', 'compatibility/subjects/*/versions', async (call) =>
    verdict(call, async (records, subject) => (await records.versions(subject)).filter(isVisible)),
  ),
  reads('POST', 'compatibility/subjects/*/versions/*', async (call) =>
    verdict(call, async (records, subject, name) => {
      const visible = (await records.versions(subject)).filter(isVisible)
      const number = versionNumber(name)
      if (number === 'latest') return visible.slice(-1)
      const one = visible.filter(({ version }) => version === number)
      if (one.length === 0) throw faults.versionNotFound(name)
      return one
    }),
  ),
]

async function verdict(
  { records, names: [subject, name], body, fallback, on }: Call,
  against: (records: RegistryRecords, subject: string, name: string) => Promise<readonly StoredVersion[]>,
): Promise<unknown> {
  const earlier = await against(records, subject, name)
  const mode = await compatibilityInForce(records, subject, fallback)
  const messages = await objections(records, await readIncoming(body, records), earlier, mode)
  return { is_compatible: messages.length === 0, ...(on('verbose') && { messages }) }
}

function isVisible({ deleted }: StoredVersion): boolean {
  return !deleted
}

async function byId(records: RegistryRecords, id: string): Promise<StoredSchema> {
  const schema = /^\d{1,10}$/.test(id) ? await records.schema(Number(id)) : undefined
  if (schema === undefined) throw faults.idNotFound(id)
  return schema
}

async function byGuid(records: RegistryRecords, guid: string): Promise<StoredSchema> {
  const schema = await records.schemaByGuid(guid.toLowerCase())
  if (schema === undefined) throw faults.idNotFound(guid)
  return schema
}

async function users(records: RegistryRecords, id: string, deleted: boolean): Promise<readonly StoredVersion[]> {
  const schema = await byId(records, id)
  return (await records.versionsOfSchema(schema.id)).filter((version) => deleted || !version.deleted)
}

/** AVRO goes without saying, as it did before there were other types. */
function answered({ guid, schema, references }: StoredSchema) {
  return { schema, guid, ...(references.length > 0 && { references }) }
}

async function described(records: RegistryRecords, version: StoredVersion) {
  const schema = await schemaOf(records, version)
  return { subject: version.subject, version: version.version, id: schema.id, ...answered(schema) }
}

function raw({ schema }: StoredSchema): unknown {
  return JSON.parse(schema)
}
