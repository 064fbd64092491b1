/** Several servers over the same tables, at once. */
import { migrate } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../test/fresh-database.ts'
import { silentLogger } from '../../core/logger.ts'
import { registryMigrations } from './postgres-registry-migrations.ts'
import { createPostgresRegistryStore } from './postgres-registry-store.ts'
import { createSchemaRegistry } from './schema-registry.ts'

const database = await freshDatabase()
const [one, two] = [database.connect(), database.connect()]
const registries = [one, two].map((sql) =>
  createSchemaRegistry({ store: createPostgresRegistryStore(sql), logger: silentLogger }),
)
const [here, there] = registries.map((registry) => registry.client()) as [Client, Client]
type Client = ReturnType<(typeof registries)[number]['client']>

const record = (name: string, ...fields: object[]) => ({ type: 'record', name: `shop.${name}`, fields })
const field = (name: string) => ({ name, type: 'string', default: '' })

test('without its tables the registry says which call helps', async () => {
  await expect(here.subjects()).rejects.toMatchObject({ message: expect.stringContaining('registryMigrations') })
  await expect(here.register('s', record('A'))).rejects.toMatchObject({
    message: expect.stringContaining('registryMigrations'),
  })
})

describe('two servers over the same tables', () => {
  beforeAll(async () => {
    await Promise.all([migrate(one, [registryMigrations]), migrate(two, [registryMigrations])])
  })
  afterAll(() => Promise.all([here.close(), there.close()]))

  test('never give an id or a version out twice', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `F${i}`)
    const registered = await Promise.all(
      names.flatMap((name) => [here, there].map((client) => client.register(`of-${name}`, record(name)))),
    )
    expect(new Set(registered.map(({ id }) => id)).size).toBe(names.length)
    expect(registered.every(({ version }) => version === 1)).toBe(true)
  })

  test('number the versions of one subject without a gap, whoever registers them', async () => {
    await here.setCompatibilityMode('NONE', 'contended')
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? here : there).register('contended', record('C', field(`f${i}`)))),
    )
    expect(versions.map(({ version }) => version).sort((x, y) => x - y)).toEqual(versions.map((_, i) => i + 1))
    expect(await there.versions('contended')).toEqual(versions.map((_, i) => i + 1))
  })

  test('let only one of two changes through that do not fit each other', async () => {
    await here.register('either', record('E', field('a')))
    const outcomes = await Promise.allSettled([
      here.register('either', record('E', { name: 'b', type: 'string', default: '' })),
      there.register('either', record('E', { name: 'b', type: 'int', default: 0 })),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('never give an id out again, neither one of a removed schema nor one that was brought along', async () => {
    const { id } = await here.register('gone', record('Gone'))
    await here.deleteSubject('gone')
    await there.deleteSubject('gone', { permanent: true })
    const next = await there.register('next', record('Next'))
    expect(next.id).toBeGreaterThan(id)
    await here.setMode('IMPORT', 'brought')
    const brought = next.id + 2
    const imported = await registries[0]?.handle({
      method: 'POST',
      path: ['subjects', 'brought', 'versions'],
      body: { schema: JSON.stringify(record('Brought')), id: brought, version: 4 },
    })
    expect(imported).toMatchObject({ status: 200, body: { id: brought, version: 4 } })
    const after = [await here.register('after-1', record('After1')), await there.register('after-2', record('After2'))]
    for (const { id } of after) expect(id).toBeGreaterThan(brought)
  })

  test('keep everything for the next who opens them', async () => {
    const client = createSchemaRegistry({ store: createPostgresRegistryStore(database.connect()) }).client()
    await here.register('kept', record('Kept'))
    await here.setCompatibilityMode('FULL', 'kept')
    expect(await client.version('kept', 1)).toMatchObject({ document: record('Kept') })
    expect(await client.compatibilityMode('kept')).toBe('FULL')
  })
})
