/** Where an order stands. `shipped` and `cancelled` are ends: nothing leaves them. */
export const orderStatuses = ['placed', 'reserved', 'confirmed', 'shipped', 'cancelled'] as const
export type OrderStatus = (typeof orderStatuses)[number]

/** Why an order was cancelled, as its own table and its HTTP answers say it. */
export type CancelCause = 'out_of_stock' | 'payment_declined'

/** What happened to an order elsewhere. */
export type OrderFact =
  | 'stock-reserved'
  | 'stock-missing'
  | 'paid'
  | 'payment-declined'
  | 'parcel-labelled'
  | 'customer-told'

/** What an order says for itself when it moves. */
export type Consequence =
  | { readonly event: 'OrderConfirmed' }
  | { readonly event: 'OrderShipped' }
  | { readonly event: 'OrderCancelled'; readonly reason: CancelCause }

export interface Move {
  readonly status: OrderStatus
  /** To be published in this order. */
  readonly consequences: readonly Consequence[]
}

/**
 * Moves an order on, or returns `null` when the fact changes nothing: it is late, repeated, or comes after the end.
 *
 * The facts of one order arrive on several topics, so in any order. Each happens only after the ones before it, though:
 * a customer who was told of the parcel has paid. So a fact that arrives early moves the order past what it proves, with
 * the consequences of all the steps, and the facts that come late find nothing left to do.
 */
export function advance(status: OrderStatus, fact: OrderFact): Move | null {
  if (status === 'shipped' || status === 'cancelled') return null
  switch (fact) {
    case 'stock-reserved':
      return status === 'placed' ? { status: 'reserved', consequences: [] } : null
    case 'stock-missing':
      return status === 'placed' ? cancel('out_of_stock') : null
    case 'payment-declined':
      return status === 'confirmed' ? null : cancel('payment_declined')
    case 'paid':
    case 'parcel-labelled':
      return status === 'confirmed' ? null : { status: 'confirmed', consequences: [{ event: 'OrderConfirmed' }] }
    case 'customer-told':
      return {
        status: 'shipped',
        consequences:
          status === 'confirmed'
            ? [{ event: 'OrderShipped' }]
            : [{ event: 'OrderConfirmed' }, { event: 'OrderShipped' }],
      }
  }
}

function cancel(reason: CancelCause): Move {
  return { status: 'cancelled', consequences: [{ event: 'OrderCancelled', reason }] }
}
