import { defineEvent } from '@evtkit/sdk'
import { z } from 'zod'
import { Money } from './money.ts'
import { OrderLine } from './order-line.ts'
import { Recipient } from './recipient.ts'
import { OrderEvents } from './topics.ts'

const key = (order: { orderId: string }) => order.orderId

export const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: OrderEvents,
  schema: z.object({
    orderId: z.string().min(1),
    customerId: z.string().min(1),
    lines: z.array(OrderLine).min(1),
    total: Money,
    cardToken: z.string().min(1),
    recipient: Recipient,
  }),
  key,
})

/** The order is paid. */
export const OrderConfirmed = defineEvent({
  type: 'OrderConfirmed',
  topic: OrderEvents,
  schema: z.object({ orderId: z.string().min(1), customerId: z.string().min(1), total: Money }),
  key,
})

export const CancelReason = z.enum(['out_of_stock', 'payment_declined'])
export type CancelReason = z.infer<typeof CancelReason>

export const OrderCancelled = defineEvent({
  type: 'OrderCancelled',
  topic: OrderEvents,
  schema: z.object({
    orderId: z.string().min(1),
    customerId: z.string().min(1),
    reason: CancelReason,
    recipient: Recipient,
  }),
  key,
})

/** The parcel is labelled and the customer has been told. */
export const OrderShipped = defineEvent({
  type: 'OrderShipped',
  topic: OrderEvents,
  schema: z.object({ orderId: z.string().min(1), customerId: z.string().min(1) }),
  key,
})
