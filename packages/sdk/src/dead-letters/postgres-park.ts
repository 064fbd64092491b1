/** How events come into the store: the failed one, those behind it, and what is dead at once. */
import type { FailedEvent } from '../core/failed-events.ts'
import type { Delivery } from '../core/message.ts'
import type { Queryable } from '../postgres/queryable.ts'
import { explained, recordColumns, recordParameters, recordValues } from './postgres-failed-record.ts'
import { attemptsJson, storableCode, storableMessage } from './stored-attempts.ts'

/**
 * Puts an event at the end of its key's queue; resolves with the id of that key, or `undefined` when it does not wait.
 *
 * The lock on the key's row lasts until the event is committed, and whoever reopens a key locks that row first and looks for
 * events after that. So the event is either seen and drained, or finds that the row is gone.
 */
export async function parkBehind(sql: Queryable, delivery: Delivery): Promise<string | undefined> {
  const { rows } = await explained(sql.query(appendBehind, recordValues(delivery)))
  return idOf(rows[0]?.waiting_key)
}

/** Parks a failed event as the head of its key, or behind those that wait by now; resolves with the id of that key. */
export async function parkFailed(sql: Queryable, failed: FailedEvent, dueInMs: number): Promise<string> {
  const { rows } = await explained(sql.query(appendFailed, [...failedValues(failed), 'parked', 'retrying', dueInMs]))
  return idOf(rows[0]?.waiting_key) ?? ''
}

/** Stores a dead letter that its key waits for; resolves with the id of that key. */
export async function stopAt(sql: Queryable, failed: FailedEvent): Promise<string> {
  const { rows } = await explained(sql.query(appendFailed, [...failedValues(failed), 'dead', 'stopped', 0]))
  return idOf(rows[0]?.waiting_key) ?? ''
}

/** Stores a dead letter that nothing waits for. */
export async function buryAlone(sql: Queryable, failed: FailedEvent): Promise<void> {
  await explained(sql.query(appendDead, failedValues(failed)))
}

function failedValues({ delivery, attempts, afterGivingUp }: FailedEvent): readonly unknown[] {
  const last = attempts.at(-1)
  return [
    ...recordValues(delivery),
    attemptsJson(attempts),
    Math.max(attempts.length, delivery.attempt),
    last === undefined ? null : storableCode(last.code),
    last === undefined ? null : storableMessage(last.message),
    afterGivingUp,
  ]
}

function idOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}

// The same record can be taken twice: after a crash before its offset was committed, by an owner that lost its partition and
// does not know yet, or after somebody set the offsets back. It is one row all the same. One that waits keeps its place;
// one that was at an end, with `waiting_key` null, begins again behind those that wait now.
//
// An owner that lost its partition may still append. Each owner goes through a key's offsets in order, and none begins with an
// event before the earlier ones are applied or in the queue: so its row is a repeat in the right place, or one whose repeat
// the inbox will recognise.
const onConflict = `on conflict (consumer_group, topic, partition, record_offset, content_hash) do update set
  times_seen = f.times_seen + 1,
  last_seen = now()`

const revived = (column: string) =>
  `${column} = case when f.waiting_key is null then excluded.${column} else f.${column} end`

const begunAgain = `position = case when f.waiting_key is null then excluded.position else f.position end,
  ${revived('state')},
  ${revived('value')},
  ${revived('headers')},
  ended_at = case when f.waiting_key is null then null else f.ended_at end,
  not_before = case when f.waiting_key is null then null else f.not_before end,
  revision = f.revision + 1,
  waiting_key = coalesce(f.waiting_key, excluded.waiting_key)`

const appendBehind = `with waiting as (
  select id from evtkit_waiting_keys
  where consumer_group = $1::text and topic = $2::text and partition = $3::int4 and key_hash = $4::bytea
  for key share
)
insert into evtkit_failed_events as f (waiting_key, state, ${recordColumns})
select waiting.id, 'parked', ${recordParameters} from waiting
${onConflict}, ${begunAgain}
returning f.waiting_key`

// Attempts that are known are added once: what is taken again while it waits was added the first time. The list has an end,
// since the offsets may be set back any number of times.
const addAttempts = (when: string) => `attempts = case
    when not ${when} then f.attempts
    when jsonb_array_length(f.attempts) >= 40 then excluded.attempts
    else f.attempts || excluded.attempts end,
  attempt_count = f.attempt_count + case when ${when} then excluded.attempt_count else 0 end,
  error_code = case when ${when} then excluded.error_code else f.error_code end,
  error_message = case when ${when} then excluded.error_message else f.error_message end,
  last_failed = case when ${when} then excluded.last_failed else f.last_failed end,
  first_failed = coalesce(f.first_failed, excluded.first_failed),
  after_giving_up = excluded.after_giving_up`

const failedColumns = 'attempts, attempt_count, error_code, error_message, after_giving_up, first_failed, last_failed'
const failedParameters = '$16::jsonb, $17::int4, $18::text, $19::text, $20::text, now(), now()'

const appendFailed = `with waiting as (
  insert into evtkit_waiting_keys as w (consumer_group, topic, partition, key_hash, key, state, due_at)
  values ($1::text, $2::text, $3::int4, $4::bytea, $7::bytea, $22::text, now() + $23::float8 * interval '1 millisecond')
  on conflict (consumer_group, topic, partition, key_hash) do update set since = w.since
  returning id
)
insert into evtkit_failed_events as f (waiting_key, state, ${recordColumns}, ${failedColumns})
select waiting.id, $21::text, ${recordParameters}, ${failedParameters} from waiting
${onConflict}, ${addAttempts('(f.waiting_key is null)')}, ${begunAgain}
returning f.waiting_key`

const appendDead = `insert into evtkit_failed_events as f (state, ${recordColumns}, ${failedColumns})
values ('dead', ${recordParameters}, ${failedParameters})
${onConflict}, ${addAttempts('(f.waiting_key is null)')},
  state = case when f.waiting_key is null then 'dead' else f.state end,
  ended_at = case when f.waiting_key is null then null else f.ended_at end,
  revision = f.revision + 1`
