import { createHash } from 'node:crypto'
import { InvalidConfigurationError, SchemaNotMigratedError } from '../core/errors.ts'
import type { Queryable } from './queryable.ts'
import type { Sql } from './sql.ts'

/** One change to the schema. Once released it never changes again; what comes next is another step. */
export interface MigrationStep {
  /** Unique within its list. */
  readonly id: string
  /** One or more statements, run in a transaction together with everything else that is pending. */
  readonly sql: string
}

/** The ordered changes that one feature, or one service, needs. */
export interface Migrations {
  readonly name: string
  readonly steps: readonly MigrationStep[]
}

export interface MigrationStatus {
  /** Whether the schema is what the code expects: nothing pending, nothing changed. A build can fail on it. */
  readonly ok: boolean
  /** As `name/id`, in order. */
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Applied with another text than the one in the code now. */
  readonly changed: readonly string[]
}

/**
 * Names a list of schema changes, so that a service's own tables are migrated beside the SDK's.
 *
 * @example
 * const inventoryMigrations = defineMigrations('inventory', [
 *   { id: '001-stock', sql: 'create table stock (sku text primary key, reserved integer not null default 0)' },
 * ])
 *
 * @throws InvalidConfigurationError when two steps have the same id.
 */
export function defineMigrations(name: string, steps: readonly MigrationStep[]): Migrations {
  const ids = new Set(steps.map((step) => step.id))
  if (ids.size !== steps.length)
    throw new InvalidConfigurationError(`migrations "${name}" have two steps with the same id`)
  return Object.freeze({ name, steps })
}

/** Every process of every version takes the same lock, so it must never change. */
const migrationLock = '7310876523009157441'

const createTable = `create table if not exists evtkit_migrations (
  name text not null,
  step text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (name, step)
)`

/**
 * Applies what is pending, all of it in one transaction, and resolves with the status after that. Processes that start
 * at once wait for each other; the later ones find nothing left to do.
 *
 * @throws InvalidConfigurationError when a step was changed after it had been applied; nothing is applied then.
 */
export function migrate(sql: Sql, lists: readonly Migrations[]): Promise<MigrationStatus> {
  return sql.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(${migrationLock})`)
    await tx.query(createTable)
    const { changed } = await readStatus(tx, lists)
    if (changed.length > 0)
      throw new InvalidConfigurationError(
        `migration ${changed.join(', ')} was changed after it had been applied; put its text back and add a new step instead`,
      )
    const known = await readChecksums(tx)
    for (const { name, steps } of lists)
      for (const step of steps) {
        if (known.has(`${name}/${step.id}`)) continue
        await tx.query(step.sql)
        await tx.query('insert into evtkit_migrations (name, step, checksum) values ($1, $2, $3)', [
          name,
          step.id,
          checksum(step),
        ])
      }
    return readStatus(tx, lists)
  })
}

/** Compares the schema with what the code expects, changing nothing. */
export async function migrationStatus(sql: Queryable, lists: readonly Migrations[]): Promise<MigrationStatus> {
  const { rows } = await sql.query(`select to_regclass('evtkit_migrations') is not null as present`)
  return rows[0]?.present === true ? readStatus(sql, lists) : compare(new Map(), lists)
}

/**
 * Refuses to go on with a schema that the code does not fit; for the start of a service.
 *
 * @throws SchemaNotMigratedError when something is pending or changed.
 */
export async function checkMigrated(sql: Queryable, lists: readonly Migrations[]): Promise<void> {
  const { ok, pending, changed } = await migrationStatus(sql, lists)
  if (ok) return
  throw new SchemaNotMigratedError(
    `the database is not migrated for ${lists.map((list) => list.name).join(', ')}: ` +
      `${[...pending.map((step) => `${step} is pending`), ...changed.map((step) => `${step} was changed after it had been applied`)].join(', ')}. ` +
      'Run migrate(sql, [outboxMigrations, inboxMigrations, …]) with the lists of the features in use before anything starts.',
  )
}

async function readStatus(sql: Queryable, lists: readonly Migrations[]): Promise<MigrationStatus> {
  return compare(await readChecksums(sql), lists)
}

async function readChecksums(sql: Queryable): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql.query('select name, step, checksum from evtkit_migrations')
  return new Map(rows.map((row) => [`${row.name}/${row.step}`, String(row.checksum)]))
}

function compare(known: ReadonlyMap<string, string>, lists: readonly Migrations[]): MigrationStatus {
  const applied: string[] = []
  const pending: string[] = []
  const changed: string[] = []
  for (const { name, steps } of lists)
    for (const step of steps) {
      const found = known.get(`${name}/${step.id}`)
      const list = found === undefined ? pending : found === checksum(step) ? applied : changed
      list.push(`${name}/${step.id}`)
    }
  return { ok: pending.length === 0 && changed.length === 0, applied, pending, changed }
}

function checksum(step: MigrationStep): string {
  return createHash('sha256').update(step.sql).digest('hex')
}
