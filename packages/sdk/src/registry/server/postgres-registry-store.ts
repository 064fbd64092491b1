import { SchemaNotMigratedError } from '../../core/errors.ts'
import type { Queryable, Row } from '../../postgres/queryable.ts'
import type { Sql } from '../../postgres/sql.ts'
import { sqlState } from '../../postgres/sql-errors.ts'
import type { RegistryRecords, RegistrySettings, RegistryStore, StoredSchema, StoredVersion } from './registry-store.ts'

/**
 * Keeps schemas in the tables of `registryMigrations`, in the connection's search path. Any number of servers may share them.
 *
 * @example
 * await migrate(sql, [registryMigrations])
 * const server = createRegistryServer({ store: createPostgresRegistryStore(sql) })
 */
export function createPostgresRegistryStore(sql: Sql): RegistryStore {
  return {
    read: (work) =>
      explained(() =>
        sql.transaction(async (tx) => {
          await tx.query('set transaction isolation level repeatable read read only')
          return work(new PostgresRecords(tx))
        }),
      ),
    change: (work) =>
      explained(() =>
        sql.transaction(async (tx) => {
          // One change at a time over all servers: whether a schema may follow depends on what is there, and so does its number.
          // Readers are not held up, and what they read is committed.
          await tx.query('lock table evtkit_registry_schemas in exclusive mode')
          return work(new PostgresRecords(tx))
        }),
      ),
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const state = sqlState(cause)
    if (state !== '42P01' && state !== '42703') throw cause
    throw new SchemaNotMigratedError(
      'there are no tables for the schema registry (evtkit_registry_schemas) in this database; run migrate(sql, [registryMigrations]) before it is used',
      { cause },
    )
  }
}

class PostgresRecords implements RegistryRecords {
  readonly #sql: Queryable

  constructor(sql: Queryable) {
    this.#sql = sql
  }

  async schema(id: number) {
    // A number that no column of integers can hold is the id of nothing.
    if (id >= 2 ** 31) return undefined
    const { rows } = await this.#sql.query('select * from evtkit_registry_schemas where id = $1::int4', [id])
    return rows.map(toSchema)[0]
  }

  async schemaByGuid(guid: string) {
    const { rows } = await this.#sql.query('select * from evtkit_registry_schemas where guid = $1::text', [guid])
    return rows.map(toSchema)[0]
  }

  async addSchema(schema: Omit<StoredSchema, 'id'>, id?: number): Promise<StoredSchema> {
    const values = [schema.guid, schema.schema, JSON.stringify(schema.references)]
    const { rows } =
      id === undefined
        ? await this.#sql.query(`${insertSchema} values ($1::text, $2::text, $3::jsonb) returning id`, values)
        : await this.#sql.query(insertSchemaWithId, [...values, id])
    const stored = { ...schema, id: Number(rows[0]?.id) }
    if (id !== undefined) await this.#sql.query(beyond, [id])
    for (const { subject, version } of schema.references)
      await this.#sql.query(insertReference, [stored.id, subject, version])
    return stored
  }

  async removeSchema(id: number) {
    await this.#sql.query('delete from evtkit_registry_schemas where id = $1::int4', [id])
  }

  allVersions(prefix: string) {
    return this.#versions('starts_with(subject, $1::text) order by subject collate "C", version', [prefix])
  }

  versions(subject: string) {
    return this.#versions('subject = $1::text order by version', [subject])
  }

  versionsOfSchema(id: number) {
    return this.#versions('schema_id = $1::int4 order by subject collate "C", version', [id])
  }

  referrers(subject: string, version: number) {
    return this.#versions(
      `schema_id in (select schema_id from evtkit_registry_references where subject = $1::text and version = $2::int4)
      order by subject collate "C", version`,
      [subject, version],
    )
  }

  async putVersion({ subject, version, schemaId, deleted }: StoredVersion) {
    await this.#sql.query(
      `insert into evtkit_registry_versions (subject, version, schema_id, deleted)
      values ($1::text, $2::int4, $3::int4, $4::bool)
      on conflict (subject, version) do update set schema_id = excluded.schema_id, deleted = excluded.deleted`,
      [subject, version, schemaId, deleted],
    )
  }

  async removeVersion(subject: string, version: number) {
    await this.#sql.query('delete from evtkit_registry_versions where subject = $1::text and version = $2::int4', [
      subject,
      version,
    ])
  }

  async settings(subject: string | undefined): Promise<RegistrySettings> {
    const { rows } = await this.#sql.query('select * from evtkit_registry_settings where subject = $1::text', [
      subject ?? '',
    ])
    const { compatibility = null, mode = null } = rows[0] ?? {}
    // Written by `putSettings` alone, so each is one of the words of its type.
    return { ...(compatibility !== null && { compatibility }), ...(mode !== null && { mode }) } as RegistrySettings
  }

  async putSettings(subject: string | undefined, { compatibility, mode }: RegistrySettings) {
    await this.#sql.query(
      `insert into evtkit_registry_settings (subject, compatibility, mode) values ($1::text, $2::text, $3::text)
      on conflict (subject) do update set compatibility = excluded.compatibility, mode = excluded.mode`,
      [subject ?? '', compatibility ?? null, mode ?? null],
    )
  }

  async #versions(condition: string, values: readonly unknown[]): Promise<readonly StoredVersion[]> {
    const { rows } = await this.#sql.query(
      `select subject, version, schema_id, deleted from evtkit_registry_versions where ${condition}`,
      values,
    )
    return rows.map((row) => ({
      subject: String(row.subject),
      version: Number(row.version),
      schemaId: Number(row.schema_id),
      deleted: row.deleted === true,
    }))
  }
}

function toSchema(row: Row): StoredSchema {
  return {
    id: Number(row.id),
    guid: String(row.guid),
    schema: String(row.schema),
    // Written by `addSchema` alone; parsed already where the driver knows the type.
    references: (typeof row.refs === 'string' ? JSON.parse(row.refs) : row.refs) as StoredSchema['references'],
  }
}

const insertSchema = 'insert into evtkit_registry_schemas (guid, schema, refs)'
const insertSchemaWithId = `insert into evtkit_registry_schemas (guid, schema, refs, id)
values ($1::text, $2::text, $3::jsonb, $4::int4) returning id`
/** The next id that is given out lies behind the ones that were brought along. */
const beyond = `select setval(sequence, greatest($1::int8, nextval(sequence)))
from cast(pg_get_serial_sequence('evtkit_registry_schemas', 'id') as regclass) as sequence`
const insertReference = `insert into evtkit_registry_references (schema_id, subject, version)
values ($1::int4, $2::text, $3::int4) on conflict do nothing`
