import type { Clock, Producer } from '@evtkit/sdk'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Sql, Tx } from '@evtkit/sdk/postgres'
import { OrderCreated } from '../contracts/index.ts'
import { ProblemError } from '../platform/problem.ts'
import { type PricedOrder, price } from './catalogue.ts'
import { addToHistory } from './order-history.ts'
import { fingerprint, type OrderRequest } from './order-request.ts'

export interface PlaceOrder {
  readonly request: OrderRequest
  readonly correlationId: string
  readonly idempotencyKey: string | undefined
  /** Id for the order, if it becomes one. */
  readonly orderId: string
}

export interface PlacedOrder {
  readonly orderId: string
  readonly correlationId: string
  /** Placed earlier, under the same idempotency key. */
  readonly repeated: boolean
}

/**
 * Places an order: the row, its key, its history and `OrderCreated` in one transaction, so all of it or nothing.
 *
 * @throws ProblemError 422 for a product the shop does not sell, or a key that was used for another order.
 */
export async function placeOrder(
  { sql, producer, outbox, clock }: { sql: Sql; producer: Producer; outbox: Outbox<Tx>; clock: Clock },
  order: PlaceOrder,
): Promise<PlacedOrder> {
  const { request, correlationId, orderId } = order
  const priced = priceOrRefuse(request)
  return sql.transaction(async (tx) => {
    const earlier = await claimKey(tx, order)
    if (earlier !== undefined) return earlier
    await insertOrder(tx, order, priced)
    const created = await producer.through(outbox.in(tx)).publish(
      OrderCreated,
      {
        orderId,
        customerId: request.customerId,
        lines: [...priced.lines],
        total: priced.total,
        cardToken: request.cardToken,
        recipient: recipientOf(request),
        placedAt: new Date(clock.now()),
      },
      { correlationId, metadata: { userId: request.customerId } },
    )
    await addToHistory(tx, orderId, created)
    return { orderId, correlationId, repeated: false }
  })
}

/** Takes the key for this order, or finds the order it was taken for. A second request at the same time waits here. */
async function claimKey(tx: Tx, order: PlaceOrder): Promise<PlacedOrder | undefined> {
  const { request, idempotencyKey, orderId } = order
  if (idempotencyKey === undefined) return undefined
  const mine = fingerprint(request)
  const claimed = await tx.query(
    `insert into order_keys (customer_id, idempotency_key, fingerprint, order_id)
     values ($1, $2, $3, $4) on conflict do nothing`,
    [request.customerId, idempotencyKey, mine, orderId],
  )
  if (claimed.rowCount === 1) return undefined
  const { rows } = await tx.query(
    `select k.fingerprint, k.order_id, o.correlation_id
       from order_keys k join orders o using (order_id) where k.customer_id = $1 and k.idempotency_key = $2`,
    [request.customerId, idempotencyKey],
  )
  const taken = rows[0]
  if (taken === undefined || taken.fingerprint !== mine)
    throw new ProblemError({
      status: 422,
      code: 'idempotency-key-reused',
      title: 'This Idempotency-Key belongs to another order',
      detail: 'It was sent before with a different body. Use a new key for a new order. Nothing was ordered.',
      errors: [{ path: 'Idempotency-Key', message: 'was used for an order with another body' }],
    })
  return { orderId: String(taken.order_id), correlationId: String(taken.correlation_id), repeated: true }
}

function insertOrder(tx: Tx, { request, correlationId, orderId }: PlaceOrder, { lines, total }: PricedOrder) {
  return tx.enqueue(
    `insert into orders (order_id, customer_id, correlation_id, status, lines, amount, currency, recipient)
             values ($1, $2, $3, 'placed', $4::jsonb, $5, $6, $7::jsonb)`,
    [
      orderId,
      request.customerId,
      correlationId,
      JSON.stringify(lines),
      total.amount,
      total.currency,
      JSON.stringify(recipientOf(request)),
    ],
  )
}

function recipientOf({ email, shippingAddress }: OrderRequest) {
  return { email, ...shippingAddress }
}

function priceOrRefuse(request: OrderRequest): PricedOrder {
  const priced = price(request.lines)
  if (!('unknown' in priced)) return priced
  throw new ProblemError({
    status: 422,
    code: 'unknown-product',
    title: 'The shop does not sell this',
    detail: `${priced.unknown.length} line(s) name a product that is not in the catalogue; nothing was ordered.`,
    errors: priced.unknown.map((index) => ({ path: `lines.${index}.sku`, message: 'is not in the catalogue' })),
  })
}
