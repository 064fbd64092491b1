import { SchemaNotMigratedError } from '../core/errors.ts'
import type { Header } from '../core/message.ts'
import { decodeHeaders } from '../postgres/header-bytes.ts'
import type { Row } from '../postgres/queryable.ts'
import type { Session, Sql } from '../postgres/sql.ts'
import { bucketCount, type OutboxRow } from './outbox-row.ts'
import { moveAside, sweepAside } from './postgres-set-aside.ts'
import type { AsideSummary, Claim, ClaimOptions, FailedRow, RelaySession, RelaySessions } from './relay-session.ts'

/** Sessions over PostgreSQL's session-level advisory locks. */
export class PostgresRelaySessions implements RelaySessions {
  readonly #sql: Sql
  readonly #leaseMs: number

  constructor(sql: Sql, leaseMs: number) {
    this.#sql = sql
    this.#leaseMs = leaseMs
  }

  open<T>(work: (session: RelaySession) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#sql.session(
      async (session) => {
        const space = await spaceOf(session)
        // On a connection that others work on too, settings are not ours to change.
        if (!session.shared) await session.query(settings)
        await session.locks.join(space)
        return work(new PostgresRelaySession(session, space))
      },
      { leaseMs: this.#leaseMs, signal },
    )
  }
}

/** The oid of the table keeps the locks of several outboxes in one database apart. */
async function spaceOf(session: Session): Promise<number> {
  const { rows } = await session.query(
    `select to_regclass('evtkit_outbox')::oid::bigint as outbox, to_regclass('evtkit_outbox_set_aside') as aside`,
  )
  const [row] = rows
  if (row === undefined || row.outbox === null || row.aside === null)
    throw new SchemaNotMigratedError(
      'there is no outbox (evtkit_outbox) in this database; run migrate(sql, [outboxMigrations]) before the relay starts',
    )
  return Number(row.outbox)
}

class PostgresRelaySession implements RelaySession {
  readonly #session: Session
  readonly #space: number
  #buckets: number[] = []

  constructor(session: Session, space: number) {
    this.#session = session
    this.#space = space
  }

  get lost(): AbortSignal {
    return this.#session.lost
  }

  get shared(): boolean {
    return this.#session.shared
  }

  async balance(): Promise<number> {
    const { locks } = this.#session
    const share = Math.ceil(bucketCount / Math.max(1, await locks.members(this.#space)))
    const surplus = this.#buckets.slice(share)
    if (surplus.length > 0) {
      await locks.release(this.#space, surplus)
      this.#buckets = this.#buckets.slice(0, share)
    }
    if (this.#buckets.length < share) {
      const wanted = allBuckets.filter((bucket) => !this.#buckets.includes(bucket))
      const taken = await locks.take(this.#space, wanted)
      const kept = taken.slice(0, share - this.#buckets.length)
      this.#buckets.push(...kept)
      await locks.release(this.#space, taken.slice(kept.length))
    }
    return this.#buckets.length
  }

  async claim({ limit, maxBytes, except, exceptKeys, exceptTopics }: ClaimOptions): Promise<Claim> {
    if (this.#buckets.length === 0) return { rows: [], more: false }
    const buckets = this.#buckets.length === bucketCount ? null : this.#buckets
    const values = [buckets, except.at(-1) ?? '0', except, exceptKeys, limit, exceptTopics, maxBytes]
    const { rows } = await this.#session.query(claim, values)
    return { rows: rows.map(toOutboxRow), more: rows.length === limit || rows.at(-1)?.is_last === false }
  }

  async remove(ids: readonly string[]): Promise<number> {
    const { rowCount } = await this.#session.query(remove, [ids])
    return rowCount ?? 0
  }

  setAside(rows: readonly FailedRow[]): Promise<void> {
    return moveAside(this.#session, rows)
  }

  sweep(): Promise<AsideSummary> {
    return sweepAside(this.#session)
  }
}

const allBuckets = Array.from({ length: bucketCount }, (_, bucket) => bucket)

// The column types are those of the statement below.
function toOutboxRow(row: Row): OutboxRow {
  const timestamp = row.timestamp_ms === null ? {} : { timestamp: Number(row.timestamp_ms) }
  let headers: readonly Header[] | undefined
  return {
    id: String(row.id),
    keyHash: Number(row.key_hash),
    message: {
      topic: String(row.topic),
      key: row.key as Buffer | null,
      value: row.value as Buffer | null,
      // Taken apart when the sender looks at them. A property of the object itself, so that a copy has it too.
      get headers() {
        headers ??= decodeHeaders(row.headers as Buffer)
        return headers
      },
      ...timestamp,
    },
  }
}

// The claim is planned while the outbox is empty and then run against millions of rows after an outage. Scanning all of
// them to sort out the oldest would be a cliff, and so is compiling the plan anew for every claim, which the cost of a
// large table alone would bring about.
const settings = 'set enable_seqscan = off; set jit = off'

// One snapshot decides everything: which rows are there, and which keys wait. A plain scan of the primary key with
// filters; no row is locked, since only the holder of a bucket claims from it. It always starts at the lowest id: a row
// that committed late must be found before later rows of its key, so no "id > last seen" is safe. Deleted rows cost little
// to pass, the first scan over them marks their index entries dead. Rows being sent all have ids up to $2; only for
// those is the (hashed) list searched. While nothing is set aside, the first EXISTS is computed once and ends the matter.
//
// The outer part adds up sizes, which are known without reading what is stored out of line, and keeps the rows that fit, and
// the first in any case. It tells of the last one whether more were found.
const claim = `select id, key_hash, topic, key, value, headers, timestamp_ms, is_last from (
select found.*, sum(bytes) over so_far as total, lead(id) over so_far is null as is_last from (
select id, key_hash, topic, key, value, headers, timestamp_ms,
  coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + octet_length(headers) as bytes
from evtkit_outbox o
where ($1::int4[] is null or (key_hash & ${bucketCount - 1}) = any($1))
  and (id > $2::bigint or id not in (select unnest($3::bigint[])))
  and key_hash <> all($4::int4[])
  and topic <> all($6::text[])
  and (not exists (select from evtkit_outbox_set_aside)
    or not exists (select from evtkit_outbox_set_aside a where a.key_hash = o.key_hash and a.topic = o.topic and a.key = o.key))
order by id limit $5::int4
) found window so_far as (order by id rows unbounded preceding)
) fitting where total <= $7::float8 or total = bytes order by id`

const remove = 'delete from evtkit_outbox where id = any($1::bigint[])'
