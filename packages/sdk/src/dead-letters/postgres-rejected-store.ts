import { createHash } from 'node:crypto'
import { SchemaNotMigratedError } from '../core/errors.ts'
import type { RejectHandler } from '../core/rejection.ts'
import { encodeHeaders } from '../postgres/header-bytes.ts'
import type { Queryable, Row } from '../postgres/queryable.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import { messageOf, storableError } from '../postgres/stored-message.ts'
import type { RejectedRecord } from './rejected.ts'

/**
 * Stores rejected records with their bytes in the table `evtkit_rejected`. The same record rejected again is counted in
 * its row, so that repeats stay one; another record at the same place, as in a topic made anew, has its own.
 *
 * @example
 * const consumer = createConsumer({ source: broker, group: 'shipping', rejected: rejectedStore(sql) })
 */
export function rejectedStore(sql: Queryable): RejectHandler {
  return async ({ delivery, error }) => {
    const { message, group, partition, offset } = delivery
    const headers = encodeHeaders(message.headers)
    const values = [
      group,
      message.topic,
      partition,
      String(offset),
      message.key,
      message.value,
      headers,
      message.timestamp ?? null,
      error.code,
      storableError(error.message),
      contentHash([message.key, message.value, headers]),
    ]
    try {
      await sql.query(upsert, values)
    } catch (cause) {
      throw explain(cause)
    }
  }
}

export interface ListRejectedOptions {
  readonly group?: string
  readonly topic?: string
  /** @default 100 */
  readonly limit?: number
}

/**
 * Rejected records, the latest first.
 *
 * @throws SchemaNotMigratedError when the database has no table for them.
 */
export async function listRejected(
  sql: Queryable,
  { group, topic, limit = 100 }: ListRejectedOptions = {},
): Promise<RejectedRecord[]> {
  try {
    const { rows } = await sql.query(list, [group ?? null, topic ?? null, limit])
    return rows.map(toRecord)
  } catch (cause) {
    throw explain(cause)
  }
}

function explain(cause: unknown): unknown {
  const state = sqlState(cause)
  if (state !== '42P01' && state !== '42703') return cause
  return new SchemaNotMigratedError(
    'there is no table for rejected records (evtkit_rejected) in this database; run migrate(sql, [rejectedMigrations]) before the consumer starts',
    { cause },
  )
}

/** Tells records with the same place apart. Each part is preceded by its length, so that none can pass for another. */
function contentHash(parts: readonly (Uint8Array | null)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part === null ? -1 : part.length};`).update(part ?? '')
  return hash.digest()
}

// The column types of the statement below are what the casts say.
function toRecord(row: Row): RejectedRecord {
  return {
    group: String(row.consumer_group),
    partition: Number(row.partition),
    offset: BigInt(String(row.record_offset)),
    message: messageOf(row),
    errorCode: String(row.error_code),
    errorMessage: String(row.error_message),
    firstSeen: row.first_seen as Date,
    lastSeen: row.last_seen as Date,
    timesSeen: Number(row.times_seen),
  }
}

const upsert = `insert into evtkit_rejected
  (consumer_group, topic, partition, record_offset, key, value, headers, timestamp_ms, error_code, error_message,
  content_hash)
values ($1::text, $2::text, $3::int4, $4::bigint, $5::bytea, $6::bytea, $7::bytea, $8::bigint, $9::text, $10::text, $11::bytea)
on conflict (consumer_group, topic, partition, record_offset, content_hash) do update
set times_seen = evtkit_rejected.times_seen + 1, last_seen = now(),
  error_code = excluded.error_code, error_message = excluded.error_message`

const list = `select * from evtkit_rejected
where ($1::text is null or consumer_group = $1) and ($2::text is null or topic = $2)
order by last_seen desc, record_offset desc limit $3::int4`
