import type { Producer } from '@evtkit/sdk'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Queryable, Tx } from '@evtkit/sdk/postgres'
import {
  type EventOf,
  failureReasonOf,
  type InventoryReserved,
  PaymentFailed,
  PaymentProcessed,
} from '../contracts/index.ts'
import type { Charge } from './provider-client.ts'

type Cause = EventOf<typeof InventoryReserved>

/** Keeps the provider's first answer for an order and publishes what it decides; a later one changes nothing. */
export async function recordCharge(
  { producer, outbox }: { producer: Producer; outbox: Outbox<Tx> },
  tx: Tx,
  cause: Cause,
  charge: Charge,
): Promise<void> {
  const { orderId, total } = cause.data
  const inserted = await tx.query(
    `insert into payments (order_id, charge_id, status, amount, currency, reason, cause)
     values ($1, $2, $3, $4, $5, $6, $7::jsonb) on conflict (order_id) do nothing`,
    [
      orderId,
      charge.chargeId,
      charge.status,
      total.amount,
      total.currency,
      charge.reason,
      charge.status === 'pending' ? JSON.stringify(cause) : null,
    ],
  )
  if (inserted.rowCount === 1) await publishOutcome(producer.causedBy(cause).through(outbox.in(tx)), cause, charge)
}

/**
 * Ends a payment that was left pending, once, however often and through however many ways its end is heard of.
 * Tells whether the payment is known here at all.
 */
export async function endPayment(
  { producer, outbox }: { producer: Producer; outbox: Outbox<Tx> },
  tx: Tx,
  charge: Charge,
): Promise<'ended' | 'already-ended' | 'unknown'> {
  if (charge.status === 'pending') return 'already-ended'
  const { rows } = await tx.query('select status, cause from payments where charge_id = $1 for update', [
    charge.chargeId,
  ])
  const payment = rows[0]
  if (payment === undefined) return 'unknown'
  if (payment.status !== 'pending') return 'already-ended'
  // Written by recordCharge, from an event that had been validated.
  const cause = payment.cause as Cause
  await tx.query(`update payments set status = $2, reason = $3, cause = null where charge_id = $1`, [
    charge.chargeId,
    charge.status,
    charge.reason,
  ])
  await publishOutcome(producer.causedBy(cause).through(outbox.in(tx)), cause, charge)
  return 'ended'
}

/** Charges the provider has not answered for yet. */
export async function pendingCharges(sql: Queryable, limit: number): Promise<string[]> {
  const { rows } = await sql.query(
    `select charge_id from payments where status = 'pending' order by order_id limit $1`,
    [limit],
  )
  return rows.map((row) => String(row.charge_id))
}

async function publishOutcome(publisher: Producer, { data }: Cause, charge: Charge): Promise<void> {
  const { orderId, total, recipient } = data
  const { chargeId, reason } = charge
  if (charge.status === 'succeeded') await publisher.publish(PaymentProcessed, { orderId, chargeId, total, recipient })
  if (charge.status === 'declined') {
    const providerCode = reason ?? 'declined'
    await publisher.publish(PaymentFailed, { orderId, chargeId, reason: failureReasonOf(providerCode), providerCode })
  }
}
