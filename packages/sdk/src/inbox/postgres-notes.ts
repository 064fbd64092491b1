import { SchemaNotMigratedError } from '../core/errors.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import type { Note } from './handling.ts'

/**
 * Notes an event; tells whether it was new. A copy that is being handled elsewhere is waited for: the unique index holds us
 * until it has ended.
 */
export async function note(tx: Tx, { eventKey, group, handler }: Note): Promise<boolean> {
  const { rowCount } = await explained(tx.query(noteOne, [eventKey, group, handler]))
  return rowCount === 1
}

/** Notes events of one group, none of them twice, in one statement; tells of each whether it was new. */
export async function noteAll(tx: Tx, notes: readonly Note[]): Promise<(note: Note) => boolean> {
  // In one order everywhere, so that two of these never wait for each other in a circle.
  const sorted = notes.toSorted((a, b) => (a.eventKey < b.eventKey ? -1 : 1))
  const { group, handler } = sorted[0] ?? { group: '', handler: '' }
  const oneHandler = sorted.every((one) => one.handler === handler)
  // A uuid needs no quotes, so this is what pg would make of the array, with less work.
  const eventKeys = `{${sorted.map((one) => one.eventKey).join(',')}}`
  const handlers = oneHandler ? handler : sorted.map((one) => one.handler)
  const { rows } = await explained(
    tx.query(oneHandler ? noteManyOfOne : noteMany, [eventKeys, group, handlers, notes.length]),
  )
  const { fresh, keys } = rows[0] ?? {}
  if (fresh === 0 || fresh === notes.length) return () => fresh !== 0
  const known = new Set(Array.isArray(keys) ? keys : [])
  return (one) => known.has(one.eventKey)
}

async function explained<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement
  } catch (error) {
    const state = sqlState(error)
    if (state !== '42P01' && state !== '42703') throw error
    throw new SchemaNotMigratedError(
      'the inbox has no table (evtkit_inbox) in this database; run migrate(sql, [inboxMigrations]) before the consumer starts',
      { cause: error },
    )
  }
}

const noteOne = `insert into evtkit_inbox (event_id, consumer_group, handler) values ($1::uuid, $2::text, $3::text)
on conflict do nothing`

// Usually all are new, or all were handled before: the number alone says so, and keys are sent only when they differ.
const answer = `select count(*)::int4 as fresh, case when count(*) < $4::int4 then array_agg(event_id::text) end as keys from fresh`

const noteManyOfOne = `with fresh as (
  insert into evtkit_inbox (event_id, consumer_group, handler)
  select event_id, $2::text, $3::text from unnest($1::uuid[]) as note (event_id)
  on conflict do nothing returning event_id
) ${answer}`

const noteMany = `with fresh as (
  insert into evtkit_inbox (event_id, consumer_group, handler)
  select event_id, $2::text, handler from unnest($1::uuid[], $3::text[]) as note (event_id, handler)
  on conflict do nothing returning event_id
) ${answer}`
