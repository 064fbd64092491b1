import { defineEvent } from '@evtkit/sdk'
import { z } from 'zod'
import { Recipient } from './recipient.ts'
import { ShippingEvents } from './topics.ts'

/** The parcel has its label. */
export const ShippingCreated = defineEvent({
  type: 'ShippingCreated',
  topic: ShippingEvents,
  schema: z.object({
    orderId: z.string().min(1),
    carrier: z.string().min(1),
    trackingNumber: z.string().min(1),
    recipient: Recipient,
  }),
  key: (shipment) => shipment.orderId,
})
