import { SchemaNotMigratedError } from '../core/errors.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import { type Note, noteName } from './handling.ts'

/**
 * Notes an event; tells whether it was new. A copy that is being handled elsewhere is waited for: the unique index holds us
 * until it has ended.
 */
export async function note(tx: Tx, { eventKey, group, handler }: Note): Promise<boolean> {
  const { rowCount } = await explained(tx.query(noteOne, [eventKey, group, handler]))
  return rowCount === 1
}

/** Notes many events in one statement; resolves with the names of those that were new. */
export async function noteAll(tx: Tx, notes: readonly Note[]): Promise<Set<string>> {
  // In one order everywhere, so that two of these never wait for each other in a circle.
  const sorted = notes.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const columns = [sorted.map((n) => n.eventKey), sorted.map((n) => n.group), sorted.map((n) => n.handler)]
  const { rows } = await explained(tx.query(noteMany, columns))
  return new Set(rows.map((row) => noteName(String(row.event_id), String(row.consumer_group), String(row.handler))))
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

const noteMany = `insert into evtkit_inbox (event_id, consumer_group, handler)
select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict do nothing returning event_id, consumer_group, handler`
