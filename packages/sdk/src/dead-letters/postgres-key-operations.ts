/** What a person can do about waiting keys. */
import type { Queryable } from '../postgres/queryable.ts'
import type { Sql } from '../postgres/sql.ts'
import type { Tx } from '../postgres/tx.ts'
import type { DeadLetterFilter, Decision } from './dead-letter.ts'
import type { ParkedKey, ParkedKeyFilter, ParkedKeyPage, ParkedKeyQuery } from './parked-key.ts'
import {
  chosen,
  chosenKeys,
  keyValues,
  mustBeDecision,
  mustChoose,
  pageValues,
  queryValues,
} from './postgres-dead-letter-filter.ts'
import { operate, record } from './postgres-dead-letter-operations.ts'
import { toParkedKey } from './postgres-dead-letter-rows.ts'
import { explained } from './postgres-failed-record.ts'

export async function listKeys(
  sql: Queryable,
  query: ParkedKeyQuery,
  page: ParkedKeyPage,
): Promise<readonly ParkedKey[]> {
  const { rows } = await explained(sql.query(list, [...keyValues(query), ...pageValues(page)]))
  return rows.map(toParkedKey)
}

export async function discard(
  sql: Sql,
  filter: DeadLetterFilter,
  { by, reason }: Decision,
): Promise<readonly string[]> {
  mustChoose(filter)
  mustBeDecision({ by, reason })
  return operate(sql, async (tx) => {
    // The keys before the events, as whoever works on a key does.
    const { rows: waiting } = await tx.query(lockKeysOf, queryValues(filter))
    const { rows } = await tx.query(discardChosen, queryValues(filter))
    await goOnWithout(tx, idsOf(waiting))
    const ids = idsOf(rows)
    await record(tx, { operation: 'discard', group: filter.group, filter, ids, by, reason })
    return ids
  })
}

export async function skipHeads(
  sql: Sql,
  filter: ParkedKeyFilter,
  { by, reason }: Decision,
): Promise<readonly string[]> {
  mustChoose(filter)
  mustBeDecision({ by, reason })
  return operate(sql, async (tx) => {
    const keys = idsOf((await tx.query(lockKeys, keyValues(filter))).rows)
    const { rows } = await tx.query(skip, [keys])
    await goOnWithout(tx, keys)
    await record(tx, { operation: 'skip', group: filter.group, filter, ids: idsOf(rows), by, reason })
    return keys
  })
}

export async function retryNow(
  sql: Sql,
  filter: ParkedKeyFilter,
  { by, reason }: Decision,
): Promise<readonly string[]> {
  mustChoose(filter)
  mustBeDecision({ by, reason })
  return operate(sql, async (tx) => {
    const keys = idsOf((await tx.query(makeDue, keyValues(filter))).rows)
    const { rows } = await tx.query(headsDue, [keys])
    await record(tx, { operation: 'retry-now', group: filter.group, filter, ids: idsOf(rows), by, reason })
    return keys
  })
}

/** The keys go on with what is left in their queues. Their rows are locked, so that nothing can come in between. */
async function goOnWithout(tx: Tx, keys: readonly string[]): Promise<void> {
  await tx.query(reopenEmpty, [keys])
  await tx.query(goOn, [keys])
}

function idsOf(rows: readonly { readonly id?: unknown }[]): string[] {
  return rows.map((row) => String(row.id))
}

const list = `select k.id, k.consumer_group, k.topic, k.partition, k.key, k.state, k.since, k.due_at,
  k.claim is not null and k.state = 'retrying' as is_claimed,
  (select count(*)::int4 from evtkit_failed_events e where e.waiting_key = k.id) as events,
  head.id as head_id, head.record_offset, head.event_id, head.event_type, head.error_code, head.error_message, head.attempt_count
from evtkit_waiting_keys k left join lateral (
  select * from evtkit_failed_events e where e.waiting_key = k.id order by e.position limit 1
) head on true
where ${chosenKeys} and ($7::bigint is null or k.id > $7) order by k.id limit $6::int4`

const lockKeys = `select k.id from evtkit_waiting_keys k where ${chosenKeys} order by k.id for update`

const lockKeysOf = `select k.id from evtkit_waiting_keys k where k.id in (
  select e.waiting_key from evtkit_failed_events e where ${chosen}
) order by k.id for update`

// Only those whose keys are locked: one that became a dead letter just now is not what was looked at.
const discardChosen = `update evtkit_failed_events e
set state = 'discarded', waiting_key = null, ended_at = now(), revision = revision + 1
where ${chosen} returning e.id`

// A claim that is taken away makes whoever works on the key stop there: what it has in its hands is no longer its own.
const skip = `update evtkit_failed_events e
set state = 'dead', after_giving_up = 'skip', waiting_key = null, not_before = null, revision = revision + 1
where e.id in (
  select (select h.id from evtkit_failed_events h where h.waiting_key = k.id order by h.position limit 1)
  from unnest($1::bigint[]) as k (id)
) returning e.id`

const reopenEmpty = `delete from evtkit_waiting_keys k where k.id = any($1::bigint[])
and not exists (select from evtkit_failed_events e where e.waiting_key = k.id)`

const goOn = `update evtkit_waiting_keys set state = 'retrying', claim = null, due_at = now() where id = any($1::bigint[])`

const makeDue = `update evtkit_waiting_keys k set due_at = now()
where ${chosenKeys} and k.state = 'retrying' and k.claim is null returning k.id`

const headsDue = `update evtkit_failed_events e set not_before = null, revision = revision + 1
where e.id in (
  select (select h.id from evtkit_failed_events h where h.waiting_key = k.id order by h.position limit 1)
  from unnest($1::bigint[]) as k (id)
) returning e.id`
