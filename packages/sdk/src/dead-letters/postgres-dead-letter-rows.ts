import type { AfterGivingUp } from '../core/failed-events.ts'
import { decodeHeaders } from '../postgres/header-bytes.ts'
import type { Row } from '../postgres/queryable.ts'
import { messageOf } from '../postgres/stored-message.ts'
import type { DeadLetter, DeadLetterEdit, DeadLetterOperation, DeadLetterState } from './dead-letter.ts'
import type { ParkedKey } from './parked-key.ts'
import { parseAttempts } from './stored-attempts.ts'

/** What {@link toDeadLetter} reads, of the table alias `e`. */
export const deadLetterColumns = `e.id, e.state, e.consumer_group, e.topic, e.partition, e.record_offset, e.key, e.value, e.headers, e.timestamp_ms,
  e.event_id, e.event_type, e.event_version, e.correlation_id, e.schema_id, e.error_code, e.error_message, e.attempts,
  e.attempt_count, e.after_giving_up, e.waiting_key, e.redrives, e.first_seen, e.last_seen, e.times_seen`

// The casts of this file are what the columns are: text with a check, timestamptz, bytea.

export function toDeadLetter(row: Row): DeadLetter {
  return {
    id: String(row.id),
    state: row.state as DeadLetterState,
    group: String(row.consumer_group),
    message: messageOf(row),
    partition: Number(row.partition),
    offset: BigInt(String(row.record_offset)),
    eventId: text(row.event_id),
    eventType: text(row.event_type),
    eventVersion: text(row.event_version),
    correlationId: text(row.correlation_id),
    schemaId: text(row.schema_id),
    errorCode: text(row.error_code),
    errorMessage: text(row.error_message),
    attempts: parseAttempts(row.attempts),
    attemptCount: Number(row.attempt_count),
    afterGivingUp: row.after_giving_up as AfterGivingUp | null,
    waitingKey: text(row.waiting_key),
    redrives: Number(row.redrives),
    firstSeen: row.first_seen as Date,
    lastSeen: row.last_seen as Date,
    timesSeen: Number(row.times_seen),
  }
}

export function toEdit(row: Row): DeadLetterEdit {
  return {
    at: row.edited_at as Date,
    by: String(row.done_by ?? ''),
    reason: String(row.reason ?? ''),
    oldEventId: text(row.old_event_id),
    newEventId: String(row.new_event_id),
    oldMessage: { value: row.old_value as Buffer | null, headers: decodeHeaders(row.old_headers as Buffer) },
  }
}

export function toOperation(row: Row): DeadLetterOperation {
  return {
    id: String(row.id),
    operation: row.operation as DeadLetterOperation['operation'],
    group: String(row.consumer_group),
    by: String(row.done_by),
    reason: String(row.reason),
    at: row.done_at as Date,
    filter: row.filter as Readonly<Record<string, unknown>>,
    // As text from the statement: how arrays of bigint come differs between databases.
    ids: (row.ids as readonly unknown[]).map(String),
  }
}

export function toParkedKey(row: Row): ParkedKey {
  return {
    id: String(row.id),
    group: String(row.consumer_group),
    topic: String(row.topic),
    partition: Number(row.partition),
    key: row.key as Buffer | null,
    state: row.state as ParkedKey['state'],
    since: row.since as Date,
    dueAt: row.due_at as Date,
    isClaimed: row.is_claimed === true,
    events: Number(row.events),
    head:
      row.head_id === null
        ? null
        : {
            id: String(row.head_id),
            offset: BigInt(String(row.record_offset)),
            eventId: text(row.event_id),
            eventType: text(row.event_type),
            errorCode: text(row.error_code),
            errorMessage: text(row.error_message),
            attemptCount: Number(row.attempt_count),
          },
  }
}

function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
