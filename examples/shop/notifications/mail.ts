import type { EventOf, OrderCancelled, ShippingCreated } from '../contracts/index.ts'

/** A mail to a customer. */
export interface Mail {
  readonly orderId: string
  readonly template: 'order-shipped' | 'order-cancelled'
  readonly to: string
  readonly subject: string
  readonly text: string
  /** The Message-ID, made from the event's id: the same mail however often it is written. */
  readonly messageId: string
  readonly idempotencyKey: string
}

export function shippedMail({ eventId, data }: EventOf<typeof ShippingCreated>): Mail {
  const { orderId, carrier, trackingNumber, recipient } = data
  return {
    orderId,
    template: 'order-shipped',
    to: recipient.email,
    subject: 'Your parcel is on its way',
    text: `Hello ${recipient.name},

your order ${orderId} is on its way with ${carrier}.
Tracking number: ${trackingNumber}
`,
    ...identity(eventId),
  }
}

export function cancelledMail({ eventId, data }: EventOf<typeof OrderCancelled>): Mail {
  const { orderId, reason, recipient } = data
  const because =
    reason === 'out_of_stock' ? 'we do not have enough of what you ordered' : 'your card could not be charged'
  return {
    orderId,
    template: 'order-cancelled',
    to: recipient.email,
    subject: 'Your order was cancelled',
    text: `Hello ${recipient.name},

we are sorry: ${because}, so order ${orderId} was cancelled. You have paid nothing.
`,
    ...identity(eventId),
  }
}

function identity(eventId: string) {
  return { messageId: `<${eventId}@notifications.shop.example>`, idempotencyKey: eventId }
}
