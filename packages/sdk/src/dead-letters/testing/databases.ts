import { PGlite } from '@electric-sql/pglite'
import { createPostgres, type Sql } from '@evtkit/sdk/postgres'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { afterAll } from 'vitest'

/** The databases on which everything here has to work: a server, and one connection inside this process. */
export function databases(url: string): readonly (readonly [name: string, open: () => Promise<Sql>])[] {
  return [
    [
      'PostgreSQL',
      async () => {
        const sql = createPostgres({ connectionString: url, maxConnections: 20 })
        afterAll(() => sql.close())
        return sql
      },
    ],
    [
      'PGlite',
      async () => {
        const database = await PGlite.create()
        afterAll(() => database.close())
        return createPglite(database, { schema: 'shipping' })
      },
    ],
  ]
}
