import { defineEvent } from '@evtkit/sdk'
import { z } from 'zod'
import { Money } from './money.ts'
import { Recipient } from './recipient.ts'
import { PaymentEvents } from './topics.ts'

const key = (payment: { orderId: string }) => payment.orderId

/** The provider has charged the card. */
export const PaymentProcessed = defineEvent({
  type: 'PaymentProcessed',
  topic: PaymentEvents,
  schema: z.object({
    orderId: z.string().min(1),
    chargeId: z.string().min(1),
    total: Money,
    recipient: Recipient,
  }),
  key,
})

/** The provider has refused for good; nothing was charged. */
export const PaymentFailed = defineEvent({
  type: 'PaymentFailed',
  topic: PaymentEvents,
  schema: z.object({
    orderId: z.string().min(1),
    chargeId: z.string().min(1),
    /** The provider's reason code, such as `card_declined`. */
    reason: z.string().min(1),
  }),
  key,
})
