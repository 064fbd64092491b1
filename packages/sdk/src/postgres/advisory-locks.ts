import type { Queryable } from './queryable.ts'

/**
 * Locks by number that belong to a session: gone when it is. A space keeps the keys of different users apart; the oid of
 * the table that the locks are about is a good one.
 */
export interface AdvisoryLocks {
  /** Takes those that are free, without waiting; tells which. Never ask for one that is held already. */
  take(space: number, keys: readonly number[]): Promise<readonly number[]>
  release(space: number, keys: readonly number[]): Promise<void>
  /** Lets this session be counted as a member of the space. */
  join(space: number): Promise<void>
  /** How many sessions have joined the space. */
  members(space: number): Promise<number>
}

/** The key under which members hold a shared lock; spaces must not use it for anything else. */
const memberKey = -1

/** Session-level advisory locks of the server, in the (int4, int4) space. */
export class PostgresAdvisoryLocks implements AdvisoryLocks {
  readonly #session: Queryable

  constructor(session: Queryable) {
    this.#session = session
  }

  async take(space: number, keys: readonly number[]): Promise<readonly number[]> {
    if (keys.length === 0) return []
    // The select list is computed once per key, after the rows are there; a lock function in a WHERE could run for any row.
    const { rows } = await this.#session.query(
      'select key, pg_try_advisory_lock($1::int4, key) as taken from unnest($2::int4[]) as key',
      [space | 0, keys],
    )
    return rows.filter((row) => row.taken === true).map((row) => Number(row.key))
  }

  async release(space: number, keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return
    await this.#session.query('select pg_advisory_unlock($1::int4, key) from unnest($2::int4[]) as key', [
      space | 0,
      keys,
    ])
  }

  async join(space: number): Promise<void> {
    await this.#session.query('select pg_advisory_lock_shared($1::int4, $2::int4)', [space | 0, memberKey])
  }

  async members(space: number): Promise<number> {
    // objsubid 2 marks the two-number form; pg_locks shows both numbers unsigned.
    const { rows } = await this.#session.query(
      `select count(*)::int4 as members from pg_locks
       where locktype = 'advisory' and objsubid = 2 and granted
         and database = (select oid from pg_database where datname = current_database())
         and classid = $1::oid and objid = $2::oid`,
      [space >>> 0, memberKey >>> 0],
    )
    return Number(rows[0]?.members ?? 0)
  }
}
