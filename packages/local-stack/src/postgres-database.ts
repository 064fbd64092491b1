import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A database of its own on a server. */
export interface PostgresDatabase {
  readonly name: string
  readonly url: string
  /** Removes the database, with whoever is still connected to it. */
  drop(): Promise<void>
}

/** Makes an empty database on the server of the URL, whose user must be allowed to. */
export async function createDatabase(serverUrl: string, name?: string): Promise<PostgresDatabase> {
  const database = name ?? `test_${randomUUID().replaceAll('-', '')}`
  await execute(serverUrl, `CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  const url = new URL(serverUrl)
  url.pathname = `/${encodeURIComponent(database)}`
  return {
    name: database,
    url: url.href,
    drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`),
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
