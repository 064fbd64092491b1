import { SchemaNotMigratedError } from '../core/errors.ts'
import type { Delivery } from '../core/message.ts'
import { encodeHeaders } from '../postgres/header-bytes.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import { contentHash, keyHash, recordFacts } from './failed-record.ts'

/** The columns that every stored record has, in the order of {@link recordValues}. */
export const recordColumns = `consumer_group, topic, partition, key_hash, record_offset, content_hash, key, value, headers,
  timestamp_ms, event_id, event_type, event_version, correlation_id, schema_id`

/** The values of {@link recordColumns} as the parameters that {@link recordValues} gives, with their types. */
export const recordParameters = `$1::text, $2::text, $3::int4, $4::bytea, $5::bigint, $6::bytea, $7::bytea, $8::bytea, $9::bytea,
  $10::bigint, $11::text, $12::text, $13::text, $14::text, $15::text`

export function recordValues({ message, group, partition, offset }: Delivery): readonly unknown[] {
  const headers = encodeHeaders(message.headers)
  const content = contentHash(message, headers)
  const facts = recordFacts(message)
  return [
    group,
    message.topic,
    partition,
    keyHash(message.key, offset, content),
    String(offset),
    content,
    message.key,
    message.value,
    headers,
    message.timestamp ?? null,
    facts.eventId,
    facts.eventType,
    facts.eventVersion,
    facts.correlationId,
    facts.schemaId,
  ]
}

/** Runs statements over the tables of failed events; says what to do when they are not there. */
export async function explained<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement
  } catch (cause) {
    const state = sqlState(cause)
    if (state !== '42P01' && state !== '42703') throw cause
    throw new SchemaNotMigratedError(
      'there are no tables for failed events (evtkit_failed_events and others) in this database; run migrate(sql, [deadLetterMigrations]) before the consumer starts',
      { cause },
    )
  }
}
