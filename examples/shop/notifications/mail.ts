import type {
  CancelReason,
  EventOf,
  NotificationTemplate,
  OrderCancelled,
  ShippingCreated,
} from '../contracts/index.ts'

/** A mail to a customer. */
export interface Mail {
  readonly orderId: string
  readonly template: NotificationTemplate
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
    template: 'ORDER_SHIPPED',
    to: recipient.email,
    subject: 'Your parcel is on its way',
    text: `Hello ${recipient.name},

your order ${orderId} is on its way with ${carrier}.
Tracking number: ${trackingNumber}
`,
    ...identity(eventId),
  }
}

const because: Readonly<Record<CancelReason, string>> = {
  OUT_OF_STOCK: 'we do not have enough of what you ordered',
  PAYMENT_DECLINED: 'your card could not be charged',
  CUSTOMER_REQUEST: 'you asked us to cancel it',
  TIMED_OUT: 'it took too long',
  OTHER: 'something went wrong',
}

export function cancelledMail({ eventId, data }: EventOf<typeof OrderCancelled>): Mail {
  const { orderId, reason, recipient } = data
  return {
    orderId,
    template: 'ORDER_CANCELLED',
    to: recipient.email,
    subject: 'Your order was cancelled',
    text: `Hello ${recipient.name},

we are sorry: ${because[reason]}, so order ${orderId} was cancelled. You have paid nothing.
`,
    ...identity(eventId),
  }
}

function identity(eventId: string) {
  return { messageId: `<${eventId}@notifications.shop.example>`, idempotencyKey: eventId }
}
