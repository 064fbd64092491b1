import type { Envelope } from '@evtkit/sdk'
import type { Queryable, Tx } from '@evtkit/sdk/postgres'

/** One step of an order's history. */
export interface HistoryStep {
  readonly eventType: string
  /** ISO-8601 in UTC. */
  readonly time: string
  readonly source: string
  readonly eventId: string
}

/** Notes that a fact belongs to an order; a second time changes nothing. It leaves with the next statement or the commit. */
export function addToHistory(tx: Tx, orderId: string, { eventId, eventType, source, timestamp }: Envelope) {
  return tx.enqueue(
    `insert into order_history (order_id, event_id, event_type, source, occurred_at)
             values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [orderId, eventId, eventType, source, timestamp],
  )
}

/** The steps in the order in which they happened; ids are made in order of time, so they settle what shares a millisecond. */
export async function readHistory(sql: Queryable, orderId: string): Promise<HistoryStep[]> {
  const { rows } = await sql.query(
    `select event_id, event_type, source,
            to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time
       from order_history where order_id = $1 order by occurred_at, event_id`,
    [orderId],
  )
  return rows.map((row) => ({
    eventType: String(row.event_type),
    time: String(row.time),
    source: String(row.source),
    eventId: String(row.event_id),
  }))
}
