import { InvalidConfigurationError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Row } from '../postgres/queryable.ts'
import type { Sql } from '../postgres/sql.ts'
import type { DeadLetterFilter } from './dead-letter.ts'
import type { RedriveDecision } from './dead-letters.ts'
import { chosen, mustBeDecision, mustChoose, queryValues } from './postgres-dead-letter-filter.ts'
import { operate, record } from './postgres-dead-letter-operations.ts'
import { explained } from './postgres-failed-record.ts'
import type { PlanCount, RedrivePlan, RedriveResult } from './redrive.ts'

/** How many dead letters one plan takes. */
const maxPlanned = 10_000

const keysShown = 50

/** A consumer signs on every ten seconds; one that has not for this long is not there. Milliseconds. */
const absentMs = 60_000

export async function planRedrive(sql: Sql, filter: DeadLetterFilter): Promise<RedrivePlan> {
  mustChoose(filter)
  const { rows } = await explained(sql.query(choose, [...queryValues(filter), maxPlanned + 1]))
  const planned = rows.slice(0, maxPlanned)
  const waiting = [...new Set(planned.map((row) => row.waiting_key).filter((id) => id !== null))]
  const [about] = (await explained(sql.query(surroundings, [filter.group, waiting, absentMs]))).rows
  const isAbsent = about?.is_absent !== false
  const plan: RedrivePlan = {
    group: filter.group,
    filter,
    events: planned.map((row) => ({ id: String(row.id), revision: Number(row.revision) })),
    hasMore: rows.length > maxPlanned,
    byEventType: countBy(planned, 'event_type'),
    byErrorCode: countBy(planned, 'error_code'),
    byKey: countBy(planned, 'key').slice(0, keysShown),
    successors: Number(about?.successors ?? 0),
    // Safe: the column is timestamptz.
    groupSeenAt: (about?.seen_at ?? null) as Date | null,
    warnings: [
      ...(isAbsent
        ? [`no consumer of group "${filter.group}" that parks was seen lately: what is redriven waits until one runs`]
        : []),
      ...(rows.length > maxPlanned ? [`there are more than ${maxPlanned}: redrive these, then plan again`] : []),
    ],
  }
  await failpoint('redrive.planned')
  return plan
}

export async function redrive(sql: Sql, plan: RedrivePlan, decision: RedriveDecision): Promise<RedriveResult> {
  mustBeDecision(decision)
  const { ratePerSecond = 20, by, reason } = decision
  if (!(ratePerSecond > 0 && Number.isFinite(ratePerSecond)))
    throw new InvalidConfigurationError(`ratePerSecond must be a number above 0, got ${ratePerSecond}`)
  const ids = plan.events.map(({ id }) => id)
  const revisions = plan.events.map(({ revision }) => revision)
  return operate(sql, async (tx) => {
    const { rows } = await tx.query(release, [ids, revisions, plan.group, 1000 / ratePerSecond])
    const redriven = rows.map((row) => String(row.id))
    const done = new Set(redriven)
    const operationId = await record(tx, {
      operation: 'redrive',
      group: plan.group,
      filter: plan.filter,
      ids: redriven,
      by,
      reason,
    })
    return { operationId, redriven, changed: ids.filter((id) => !done.has(id)) }
  })
}

function countBy(rows: readonly Row[], column: string): PlanCount[] {
  const counts = new Map<string | null, number>()
  for (const row of rows) {
    const value = row[column] ?? null
    const name = value === null ? null : String(value)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, events]) => ({ name, events })).toSorted((a, b) => b.events - a.events)
}

const choose = `select e.id, e.revision, e.event_type, e.error_code, e.key, e.waiting_key from evtkit_failed_events e
where ${chosen} order by e.id limit $11::int4`

const surroundings = `select
  (select count(*)::int4 from evtkit_failed_events where waiting_key = any($2::bigint[]) and state = 'parked') as successors,
  (select seen_at from evtkit_parking_groups where consumer_group = $1::text) as seen_at,
  (select seen_at < now() - $3::float8 * interval '1 millisecond' from evtkit_parking_groups where consumer_group = $1::text) as is_absent`

// Each event goes back to its old place, which is before all that came later on its key. Of those that nothing waited for,
// the key gets a row again; a consumer that runs handles new events of such a key meanwhile, as it did before.
// Who comes second finds the rows changed, since the lock makes it look again.
const release = `with locked as (
  select e.* from evtkit_failed_events e join unnest($1::bigint[], $2::int4[]) as plan (id, revision) on e.id = plan.id
  where e.state = 'dead' and e.revision = plan.revision and e.consumer_group = $3::text
  order by e.id for update of e
), chosen as (
  select *, now() + (row_number() over (order by position) - 1) * $4::float8 * interval '1 millisecond' as due from locked
), waiting as (
  insert into evtkit_waiting_keys as w (consumer_group, topic, partition, key_hash, key, state, due_at)
  select distinct on (topic, partition, key_hash) consumer_group, topic, partition, key_hash, key, 'retrying', due
  from chosen order by topic, partition, key_hash, position
  on conflict (consumer_group, topic, partition, key_hash) do update set
    state = 'retrying',
    due_at = case
      when w.state = 'stopped' then excluded.due_at
      when w.claim is null then least(w.due_at, excluded.due_at)
      else w.due_at end
  returning id, topic, partition, key_hash
)
update evtkit_failed_events e set state = 'parked', waiting_key = waiting.id, redrives = e.redrives + 1,
  not_before = chosen.due, revision = e.revision + 1
from chosen join waiting using (topic, partition, key_hash)
where e.id = chosen.id returning e.id`
