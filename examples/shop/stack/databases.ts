import type { Progress } from '@evtkit/local-stack'
import pg from 'pg'
import { databaseName, serviceNames } from './part.ts'
import { forPeople } from './servers.ts'
import { StackError } from './stack-error.ts'

/** Makes the database of each service that has none yet. */
export async function createDatabases(serverUrl: string, progress: Progress): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 10_000 })
  try {
    await client.connect()
  } catch (cause) {
    throw new StackError(
      `No PostgreSQL answers at ${forPeople(serverUrl)} (${cause instanceof Error ? cause.message : String(cause)}). ` +
        'Start it, or unset DATABASE_URL to have one started here.',
      { cause },
    )
  }
  try {
    const wanted = serviceNames.map(databaseName)
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database')
    const missing = wanted.filter((name) => !rows.some((row) => row.datname === name))
    for (const name of missing) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
    progress(
      missing.length === 0
        ? `The ${wanted.length} databases are there.`
        : `Created ${missing.length} databases: ${missing.join(', ')}.`,
    )
  } finally {
    await client.end()
  }
}
