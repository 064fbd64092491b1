import { defineEvent } from '@evtkit/sdk'
import { z } from 'zod'
import { NotificationEvents } from './topics.ts'

/** The mail server has taken the mail. */
export const NotificationSent = defineEvent({
  type: 'NotificationSent',
  topic: NotificationEvents,
  schema: z.object({
    orderId: z.string().min(1),
    template: z.enum(['order-shipped', 'order-cancelled']),
    channel: z.literal('email'),
    /** The mail's Message-ID; the same however often the mail was handed over. */
    messageId: z.string().min(1),
  }),
  key: (notification) => notification.orderId,
})
