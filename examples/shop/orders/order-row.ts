import type { Queryable, Row, Tx } from '@evtkit/sdk/postgres'
import { z } from 'zod'
import type { Money, Recipient } from '../contracts/index.ts'
import { type OrderStatus, orderStatuses } from './order-status.ts'

/** An order as its table keeps it. */
export interface OrderRow {
  readonly orderId: string
  readonly customerId: string
  readonly correlationId: string
  readonly status: OrderStatus
  readonly cancelReason: string | null
  readonly trackingNumber: string | null
  readonly total: Money
  readonly recipient: Recipient
  readonly version: number
}

const StoredRecipient = z.object({
  email: z.string(),
  name: z.string(),
  street: z.string(),
  city: z.string(),
  postalCode: z.string(),
  country: z.string(),
})

export async function readOrder(sql: Queryable, orderId: string): Promise<OrderRow | undefined> {
  const { rows } = await sql.query(
    `select order_id, customer_id, correlation_id, status, cancel_reason, tracking_number,
                    amount, currency, recipient, version
               from orders where order_id = $1`,
    [orderId],
  )
  return rows[0] === undefined ? undefined : toOrder(rows[0])
}

/** Keeps the parcel's number with the order. It leaves with the next statement or the commit. */
export function noteTrackingNumber(tx: Tx, orderId: string, trackingNumber: string): Promise<void> {
  return tx.enqueue('update orders set tracking_number = $2 where order_id = $1', [orderId, trackingNumber])
}

function toOrder(row: Row): OrderRow {
  const status = orderStatuses.find((known) => known === row.status)
  if (status === undefined)
    throw new Error(`order ${row.order_id} has status ${row.status}, which this version does not know`)
  return {
    orderId: String(row.order_id),
    customerId: String(row.customer_id),
    correlationId: String(row.correlation_id),
    status,
    cancelReason: row.cancel_reason === null ? null : String(row.cancel_reason),
    trackingNumber: row.tracking_number === null ? null : String(row.tracking_number),
    total: { amount: Number(row.amount), currency: String(row.currency) },
    recipient: StoredRecipient.parse(row.recipient),
    version: Number(row.version),
  }
}
