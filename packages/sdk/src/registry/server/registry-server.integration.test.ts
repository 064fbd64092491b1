/** The registry keeps what Confluent's documentation says with its schemas in PostgreSQL; Apicurio does, but for what is declared. */
import { migrate } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { freshDatabase } from '../../../../../test/fresh-database.ts'
import { describeRegistry, registryConformance } from '../../testing/index.ts'
import { registryMigrations } from './postgres-registry-migrations.ts'
import { createPostgresRegistryStore } from './postgres-registry-store.ts'
import { createRegistryServer } from './registry-server.ts'

const database = await freshDatabase()
const sql = database.connect()
const server = createRegistryServer({ store: createPostgresRegistryStore(sql) })

beforeAll(async () => {
  await migrate(sql, [registryMigrations])
  await server.start()
})
afterAll(() => server.close())

describeRegistry({ describe, test }, 'the registry in PostgreSQL', registryConformance, {
  url: () => server.url,
  deviations: {},
})

describeRegistry({ describe, test }, 'Apicurio Registry', registryConformance, {
  url: () => inject('registryUrl'),
  deviations: {
    'no-verbose-messages': 'Apicurio 3.3 explains only in the text of a 409',
    'missing-level-is-40401': 'Apicurio 3.3 does not tell a subject without a level from no subject',
    'removed-level-is-none': 'Apicurio 3.3 sets the rule of the subject to NONE instead of removing it',
    'prefix-ignored': 'Apicurio 3.3 lists every subject',
    'check-of-all-is-transitive': 'Apicurio 3.3 compares with each version in turn',
    'readonly-not-enforced': 'Apicurio 3.3 stores the mode and does nothing with it',
    'invalid-version-is-40402': 'Apicurio 3.3 looks any number up',
    'hard-before-soft-is-409': 'Apicurio 3.3 answers with another status and the same number',
    'deleted-twice-is-409': 'Apicurio 3.3 answers with another status and the same number',
    'removed-stays-by-id': 'Apicurio 3.3 keeps the content of what was removed',
    'invalid-mode-is-42201': 'Apicurio 3.3 calls every word that it does not know an invalid schema',
    'no-guids': 'Apicurio 3.3 has no GUIDs in this API',
    'ids-taken-without-import': 'Apicurio 3.3 takes ids in any mode',
  },
})
