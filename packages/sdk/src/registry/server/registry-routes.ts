/** The paths of the API, and what is done at each. */
import type { CompatibilityMode } from '../../avro/compatibility-mode.ts'
import type { RegistryAnswer, RegistryRequest } from '../registry-exchange.ts'
import { readIncoming } from './incoming-schema.ts'
import { faults } from './registry-fault.ts'
import {
  clearCompatibility,
  clearMode,
  compatibilityInForce,
  modeInForce,
  setCompatibility,
  setMode,
} from './registry-settings.ts'
import type { RegistryRecords, RegistryStore, StoredSchema, StoredVersion } from './registry-store.ts'
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

export interface RouteSetting {
  readonly store: RegistryStore
  /** In force where none was set. */
  readonly compatibility: CompatibilityMode
}

interface Call {
  readonly records: RegistryRecords
  /** What stands in the path where the route has a `*`. */
  readonly names: readonly [string, string]
  readonly body: unknown
  readonly fallback: CompatibilityMode
  /** Whether a switch of the query is on. */
  on(name: string): boolean
  text(name: string): string
}

type Route = readonly [
  method: RegistryRequest['method'],
  path: string,
  work: 'read' | 'change',
  answer: (call: Call) => Promise<unknown>,
]

/** @throws RegistryFault for whatever the API refuses. */
export async function answerFor(
  request: RegistryRequest,
  { store, compatibility }: RouteSetting,
): Promise<RegistryAnswer> {
  const here = routes.filter(([, path]) => matches(path, request.path))
  const route = here.find(([method]) => method === request.method)
  if (route === undefined) throw here.length > 0 ? faults.unknownMethod() : faults.unknownPath()
  const [, path, work, answer] = route
  const [first = '', second = ''] = request.path.filter((_, i) => path.split('/')[i] === '*')
  const query = request.query ?? {}
  const body = await store[work]((records) =>
    answer({
      records,
      names: [first, second],
      body: request.body,
      fallback: compatibility,
      on: (name) => String(query[name] ?? false).toLowerCase() === 'true',
      text: (name) => (typeof query[name] === 'string' ? query[name] : ''),
    }),
  )
  return { status: 200, body }
}

function matches(route: string, path: readonly string[]): boolean {
  const parts = route === '' ? [] : route.split('/')
  return parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i])
}

const routes: readonly Route[] = [
  ['GET', '', 'read', async () => ({})],
  ['GET', 'schemas/types', 'read', async () => ['AVRO']],
  [
    'GET',
    'schemas',
    'read',
    async ({ records, on, text }) => {
      const all = (await records.allVersions(text('subjectPrefix'))).filter(({ deleted }) => on('deleted') || !deleted)
      const latest = new Map(all.map((version) => [version.subject, version]))
      const found = []
      for (const version of on('latestOnly') ? latest.values() : all) found.push(await described(records, version))
      return found
    },
  ],
  ['GET', 'schemas/ids/*', 'read', async ({ records, names: [id] }) => answered(await byId(records, id))],
  ['GET', 'schemas/ids/*/schema', 'read', async ({ records, names: [id] }) => raw(await byId(records, id))],
  [
    'GET',
    'schemas/ids/*/versions',
    'read',
    async ({ records, names: [id], on }) =>
      (await users(records, id, on('deleted'))).map(({ subject, version }) => ({ subject, version })),
  ],
  [
    'GET',
    'schemas/ids/*/subjects',
    'read',
    async ({ records, names: [id], on }) => [
      ...new Set((await users(records, id, on('deleted'))).map(({ subject }) => subject)),
    ],
  ],
  ['GET', 'schemas/guids/*', 'read', async ({ records, names: [guid] }) => answered(await byGuid(records, guid))],
  [
    'GET',
    'schemas/guids/*/ids',
    'read',
    async ({ records, names: [guid] }) => [{ context: '.', id: (await byGuid(records, guid)).id }],
  ],
  [
    'GET',
    'subjects',
    'read',
    async ({ records, on, text }) => {
      const all = await records.allVersions(text('subjectPrefix'))
      const visible = new Set(all.filter(({ deleted }) => !deleted).map(({ subject }) => subject))
      const names = [...new Set(all.map(({ subject }) => subject))]
      if (on('deletedOnly')) return names.filter((name) => !visible.has(name))
      return names.filter((name) => on('deleted') || visible.has(name))
    },
  ],
  [
    'POST',
    'subjects/*',
    'read',
    async ({ records, names: [subject], body, on }) => {
      const versions = await visibleVersions(records, subject, { deleted: on('deleted') })
      const found = await versionWith(records, versions, await readIncoming(body, records))
      if (found === undefined) throw faults.schemaNotFound()
      return described(records, found)
    },
  ],
  [
    'DELETE',
    'subjects/*',
    'change',
    ({ records, names: [subject], on }) => deleteSubject(records, subject, on('permanent')),
  ],
  [
    'GET',
    'subjects/*/versions',
    'read',
    async ({ records, names: [subject], on }) =>
      (await visibleVersions(records, subject, { deleted: on('deleted') })).map(({ version }) => version),
  ],
  [
    'POST',
    'subjects/*/versions',
    'change',
    async ({ records, names: [subject], body, fallback }) => {
      const mode = await compatibilityInForce(records, subject, fallback)
      const { schema, version } = await register(records, subject, await readIncoming(body, records), mode)
      return { id: schema.id, version, guid: schema.guid }
    },
  ],
  [
    'GET',
    'subjects/*/versions/*',
    'read',
    async ({ records, names: [subject, name], on }) =>
      described(records, await versionNamed(records, subject, name, { deleted: on('deleted') })),
  ],
  [
    'DELETE',
    'subjects/*/versions/*',
    'change',
    ({ records, names: [subject, name], on }) => deleteVersion(records, subject, name, on('permanent')),
  ],
  [
    'GET',
    'subjects/*/versions/*/schema',
    'read',
    async ({ records, names: [subject, name], on }) =>
      raw(await schemaOf(records, await versionNamed(records, subject, name, { deleted: on('deleted') }))),
  ],
  [
    'GET',
    'subjects/*/versions/*/referencedby',
    'read',
    async ({ records, names: [subject, name] }) => {
      const { version } = await versionNamed(records, subject, name)
      const referrers = await records.referrers(subject, version)
      return [...new Set(referrers.filter(({ deleted }) => !deleted).map(({ schemaId }) => schemaId))]
    },
  ],
  [
    'POST',
    'compatibility/subjects/*/versions',
    'read',
    async (call) => verdict(call, async (records, subject) => (await records.versions(subject)).filter(isVisible)),
  ],
  [
    'POST',
    'compatibility/subjects/*/versions/*',
    'read',
    async (call) =>
      verdict(call, async (records, subject, name) => {
        const visible = (await records.versions(subject)).filter(isVisible)
        const number = versionNumber(name)
        if (number === 'latest') return visible.slice(-1)
        const one = visible.filter(({ version }) => version === number)
        if (one.length === 0) throw faults.versionNotFound(name)
        return one
      }),
  ],
  [
    'GET',
    'config',
    'read',
    async ({ records, fallback }) => ({ compatibilityLevel: await compatibilityInForce(records, undefined, fallback) }),
  ],
  ['PUT', 'config', 'change', ({ records, body }) => setCompatibility(records, undefined, body)],
  ['DELETE', 'config', 'change', ({ records, fallback }) => clearCompatibility(records, undefined, fallback)],
  [
    'GET',
    'config/*',
    'read',
    async ({ records, names: [subject], fallback, on }) => {
      const { compatibility } = await records.settings(subject)
      if (compatibility === undefined && !on('defaultToGlobal')) throw faults.noCompatibility(subject)
      return { compatibilityLevel: await compatibilityInForce(records, subject, fallback) }
    },
  ],
  ['PUT', 'config/*', 'change', ({ records, names: [subject], body }) => setCompatibility(records, subject, body)],
  [
    'DELETE',
    'config/*',
    'change',
    ({ records, names: [subject], fallback }) => clearCompatibility(records, subject, fallback),
  ],
  ['GET', 'mode', 'read', async ({ records }) => ({ mode: await modeInForce(records, undefined) })],
  ['PUT', 'mode', 'change', ({ records, body, on }) => setMode(records, undefined, body, on('force'))],
  ['DELETE', 'mode', 'change', ({ records }) => clearMode(records, undefined)],
  [
    'GET',
    'mode/*',
    'read',
    async ({ records, names: [subject], on }) => {
      const { mode } = await records.settings(subject)
      if (mode === undefined && !on('defaultToGlobal')) throw faults.noMode(subject)
      return { mode: await modeInForce(records, subject) }
    },
  ],
  [
    'PUT',
    'mode/*',
    'change',
    ({ records, names: [subject], body, on }) => setMode(records, subject, body, on('force')),
  ],
  ['DELETE', 'mode/*', 'change', ({ records, names: [subject] }) => clearMode(records, subject)],
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
