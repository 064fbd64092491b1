import { type Envelope, InvalidRecordError, type Producer } from '@evtkit/sdk'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Tx } from '@evtkit/sdk/postgres'
import { type AboutOrder, type CancelReason, OrderCancelled, OrderConfirmed, OrderShipped } from '../contracts/index.ts'
import { addToHistory } from './order-history.ts'
import { type OrderRow, readOrder } from './order-row.ts'
import { advance, type CancelCause, type Consequence, type Move, type OrderFact } from './order-status.ts'

/** Takes what happened elsewhere into an order: its history, its status, and what follows from that. */
export async function followOrder(
  { producer, outbox }: { producer: Producer; outbox: Outbox<Tx> },
  tx: Tx,
  event: AboutOrder,
  fact: OrderFact,
): Promise<void> {
  const { orderId } = event.data
  const { order, move } = await moveOrder(tx, orderId, event, fact)
  await addToHistory(tx, orderId, event)
  if (move === null) return
  const publisher = producer.causedBy(event).through(outbox.in(tx))
  for (const consequence of move.consequences)
    await addToHistory(tx, orderId, await publishConsequence(publisher, order, consequence))
}

async function moveOrder(
  tx: Tx,
  orderId: string,
  event: AboutOrder,
  fact: OrderFact,
): Promise<{ order: OrderRow; move: Move | null }> {
  for (;;) {
    const order = await readOrder(tx, orderId)
    if (order === undefined)
      // The row is older than any fact about it, so no waiting will bring it.
      throw new InvalidRecordError(event.eventType, [{ path: 'orderId', message: `there is no order ${orderId} here` }])
    const move = advance(order.status, fact)
    if (move === null) return { order, move }
    // Two facts of one order may be handled at once, even in one transaction, where row locks do not part them.
    const written = await tx.query(
      `update orders set status = $3, cancel_reason = coalesce($4, cancel_reason), version = version + 1
                where order_id = $1 and version = $2`,
      [orderId, order.version, move.status, reasonOf(move)],
    )
    if (written.rowCount === 1) return { order, move }
  }
}

const reasons: Readonly<Record<CancelCause, CancelReason>> = {
  out_of_stock: 'OUT_OF_STOCK',
  payment_declined: 'PAYMENT_DECLINED',
}

function publishConsequence(publisher: Producer, order: OrderRow, consequence: Consequence): Promise<Envelope> {
  const { orderId, customerId, total, recipient } = order
  switch (consequence.event) {
    case 'OrderConfirmed':
      return publisher.publish(OrderConfirmed, { orderId, customerId, total })
    case 'OrderShipped':
      return publisher.publish(OrderShipped, { orderId, customerId })
    case 'OrderCancelled':
      return publisher.publish(OrderCancelled, { orderId, customerId, reason: reasons[consequence.reason], recipient })
  }
}

function reasonOf(move: Move): string | null {
  for (const consequence of move.consequences) if (consequence.event === 'OrderCancelled') return consequence.reason
  return null
}
