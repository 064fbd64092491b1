import type { Clock } from '../core/clock.ts'
import { type Codec, jsonCodec } from '../core/codec.ts'
import type { Envelope } from '../core/envelope.ts'
import { InvalidConfigurationError, InvalidEventError } from '../core/errors.ts'
import { headerNames, headerText } from '../core/headers.ts'
import type { NewId } from '../core/ids.ts'
import type { RawMessage } from '../core/message.ts'
import { createProducer } from '../core/producer.ts'
import { encodeHeaders } from '../postgres/header-bytes.ts'
import type { Sql } from '../postgres/sql.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { EditOptions } from './dead-letters.ts'
import { recordFacts } from './failed-record.ts'
import { isId, mustBeDecision } from './postgres-dead-letter-filter.ts'
import { operate, record } from './postgres-dead-letter-operations.ts'
import { deadLetterColumns, toDeadLetter } from './postgres-dead-letter-rows.ts'

export interface EditSurroundings {
  readonly sql: Sql
  readonly clock: Clock
  readonly newId: NewId
}

export async function editDeadLetter<Type extends string, Data, Input>(
  { sql, clock, newId }: EditSurroundings,
  id: string,
  edit: EditOptions<Type, Data, Input>,
): Promise<{ readonly eventId: string }> {
  mustBeDecision(edit)
  const { event, data, by, reason, codec = jsonCodec } = edit
  return operate(sql, async (tx) => {
    const { rows } = isId(id) ? await tx.query(lockDead, [id]) : { rows: [] }
    const [row] = rows
    if (row === undefined)
      throw new InvalidConfigurationError(
        `there is no dead letter ${id}: it may have been redriven or discarded by now; only dead letters can be edited`,
      )
    const old = toDeadLetter(row)
    if (event.topic.name !== old.message.topic)
      throw new InvalidConfigurationError(
        `dead letter ${id} is of topic "${old.message.topic}", and ${event.type} belongs to "${event.topic.name}"`,
      )
    const written: RawMessage[] = []
    const cause = await causeOf(old, codec)
    const producer = createProducer({
      sender: {
        send: async (messages) => {
          written.push(...messages)
        },
      },
      source: cause?.source ?? headerText(old.message, headerNames.source) ?? 'dead-letters',
      codec,
      clock,
      newId,
    })
    const envelope = await (cause === undefined ? producer : producer.causedBy(cause)).publish(event, data)
    const [message] = written
    if (message === undefined) throw new Error('the producer wrote no message')
    // Another key has another queue, and maybe another partition: it would overtake, or be overtaken.
    if (old.message.key !== null && !message.key?.equals(old.message.key))
      throw new InvalidEventError(event.type, [
        {
          path: '',
          message: `its key is ${JSON.stringify(String(message.key))}, and that of the record is ${JSON.stringify(String(old.message.key))}; publish a new event instead, and discard this one`,
        },
      ])
    const names = new Set(message.headers.map(([name]) => name))
    const replaced = new Set<string>([...Object.values(headerNames), '__value_schema_id', '__key_schema_id'])
    const kept = old.message.headers.filter(([name]) => !names.has(name) && !replaced.has(name))
    const headers = [...message.headers, ...kept]
    const facts = recordFacts({ ...message, headers })
    const operation = await record(tx, {
      operation: 'edit',
      group: old.group,
      filter: { ids: [id] },
      ids: [id],
      by,
      reason,
    })
    await tx.query(keepOld, [
      id,
      operation,
      old.eventId,
      envelope.eventId,
      old.message.value,
      encodeHeaders(old.message.headers),
    ])
    await tx.query(replace, [
      id,
      message.value,
      encodeHeaders(headers),
      facts.eventId,
      facts.eventType,
      facts.eventVersion,
      facts.correlationId,
      facts.schemaId,
    ])
    return { eventId: envelope.eventId }
  })
}

/** The event as its own cause: from its bytes if they can be read, else from what its headers say. */
async function causeOf(old: DeadLetter, codec: Codec): Promise<Envelope | undefined> {
  try {
    return await codec.decode(old.message)
  } catch {
    // A record that cannot be read is the very reason for editing some of them.
  }
  if (old.eventId === null) return undefined
  return {
    eventId: old.eventId,
    eventType: old.eventType ?? '',
    eventVersion: old.eventVersion ?? '',
    timestamp: '',
    source: headerText(old.message, headerNames.source) ?? 'dead-letters',
    correlationId: old.correlationId ?? old.eventId,
    causationId: null,
    data: null,
    metadata: {},
  }
}

const lockDead = `select ${deadLetterColumns} from evtkit_failed_events e where e.id = $1::bigint and e.state = 'dead' for update`

const keepOld = `insert into evtkit_dead_letter_edits (failed_event, operation, old_event_id, new_event_id, old_value, old_headers)
values ($1::bigint, $2::bigint, $3::text, $4::text, $5::bytea, $6::bytea)`

const replace = `update evtkit_failed_events set value = $2::bytea, headers = $3::bytea, event_id = $4::text, event_type = $5::text,
  event_version = $6::text, correlation_id = $7::text, schema_id = $8::text, revision = revision + 1
where id = $1::bigint`
