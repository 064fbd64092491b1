/** A database of its own for each test file, on the run's PostgreSQL. */
import { createPostgres, type PostgresOptions, type Sql } from '@evtkit/sdk/postgres'
import { afterAll, inject } from 'vitest'

export interface FreshDatabase {
  readonly url: string
  /** Connects; closed after the file's tests. */
  connect(options?: Omit<PostgresOptions, 'connectionString' | 'pool'>): Sql
}

/** Makes an empty database, dropped after the file's tests whoever is still connected. Call it once, at the top of a file. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = inject('databaseUrl')
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2)}`
  await administer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const open: Sql[] = []
  afterAll(async () => {
    await Promise.all(open.map((sql) => sql.close()))
    await administer(server, `drop database ${name} with (force)`)
  })
  return {
    url: url.href,
    connect: (options) => {
      const sql = createPostgres({ ...options, connectionString: url.href })
      open.push(sql)
      return sql
    },
  }
}

async function administer(connectionString: string, statement: string): Promise<void> {
  const sql = createPostgres({ connectionString, maxConnections: 1 })
  try {
    await sql.query(statement)
  } finally {
    await sql.close()
  }
}
