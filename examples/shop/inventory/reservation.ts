import type { Tx } from '@evtkit/sdk/postgres'
import { z } from 'zod'
import type { StockLine } from '../contracts/index.ts'

/** What became of an order's wish for stock. */
export type Reservation =
  | { readonly state: 'reserved' }
  | { readonly state: 'refused'; readonly missing: StockLine[] }
  /** The order was decided on before, so nothing was done. */
  | { readonly state: 'decided' }

/**
 * Sets all lines of an order aside, or none.
 *
 * One statement, because the handlers of several orders may share a transaction, where a look and a later update would not
 * be kept apart by locks. Rows are locked in the order of their sku, so two orders never wait for each other in a circle,
 * and the amounts are looked at after the lock was had.
 */
export async function reserveStock(tx: Tx, orderId: string, lines: readonly StockLine[]): Promise<Reservation> {
  const { rows } = await tx.query(
    `
        with wanted as materialized (
          select sku, quantity from unnest($2::text[], $3::integer[]) as line (sku, quantity)
        ), claim as (
          insert into reservations (order_id, state, lines) values ($1, 'reserved', $4::jsonb)
          on conflict do nothing returning order_id
        ), enough as materialized (
          select s.sku from stock s join wanted w using (sku)
           where s.on_hand - s.reserved >= w.quantity and exists (select from claim)
           order by s.sku for update of s
        ), taken as (
          update stock s set reserved = s.reserved + w.quantity from wanted w
           where s.sku = w.sku and (select count(*) from enough) = (select count(*) from wanted)
          returning s.sku
        )
        select (select count(*) from claim)::integer as claimed,
               (select count(*) from taken)::integer as taken,
               (select array_agg(sku) from enough) as enough`,
    [orderId, lines.map((line) => line.sku), lines.map((line) => line.quantity), JSON.stringify(lines)],
  )
  const outcome = Outcome.parse(rows[0])
  if (outcome.claimed === 0) return { state: 'decided' }
  if (outcome.taken === lines.length) return { state: 'reserved' }
  await tx.enqueue(`update reservations set state = 'refused' where order_id = $1`, [orderId])
  const enough = new Set(outcome.enough)
  return { state: 'refused', missing: lines.filter((line) => !enough.has(line.sku)) }
}

const StoredLine = z.object({ sku: z.string(), quantity: z.int() })

const Outcome = z.object({
  claimed: z.number(),
  taken: z.number(),
  enough: z
    .array(z.string())
    .nullable()
    .transform((skus) => skus ?? []),
})

/** Gives back what an order had set aside. Resolves with the lines, or `null` when there was nothing (any more). */
export async function releaseStock(tx: Tx, orderId: string): Promise<StockLine[] | null> {
  const released = await tx.query(
    `update reservations set state = 'released' where order_id = $1 and state = 'reserved' returning lines`,
    [orderId],
  )
  const row = released.rows[0]
  if (row === undefined) return null
  const lines = z.array(StoredLine).parse(row.lines)
  await tx.query(
    `with given as materialized (
       select s.sku, line.quantity
         from stock s join unnest($1::text[], $2::integer[]) as line (sku, quantity) using (sku)
        order by s.sku for update of s
     )
     update stock s set reserved = s.reserved - given.quantity from given where s.sku = given.sku`,
    [lines.map((line) => line.sku), lines.map((line) => line.quantity)],
  )
  return lines
}
