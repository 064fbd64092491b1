import { defineEvent } from '@evtkit/sdk'
import { z } from 'zod'
import { Money } from './money.ts'
import { StockLine } from './order-line.ts'
import { Recipient } from './recipient.ts'
import { InventoryEvents } from './topics.ts'

const key = (reservation: { orderId: string }) => reservation.orderId

/**
 * Every line of the order is set aside. It is what payments acts on, so it carries what is to be paid, with what, and who
 * is to be served afterwards.
 */
export const InventoryReserved = defineEvent({
  type: 'InventoryReserved',
  topic: InventoryEvents,
  schema: z.object({
    orderId: z.string().min(1),
    lines: z.array(StockLine).min(1),
    total: Money,
    cardToken: z.string().min(1),
    recipient: Recipient,
  }),
  key,
})

/** Nothing is set aside: at least one line was short, and an order is reserved whole or not at all. */
export const InventoryReservationFailed = defineEvent({
  type: 'InventoryReservationFailed',
  topic: InventoryEvents,
  schema: z.object({
    orderId: z.string().min(1),
    reason: z.literal('out_of_stock'),
    /** The lines there was not enough of. */
    missing: z.array(StockLine).min(1),
  }),
  key,
})

/** What was set aside for an order is for sale again. */
export const InventoryReleased = defineEvent({
  type: 'InventoryReleased',
  topic: InventoryEvents,
  schema: z.object({ orderId: z.string().min(1), lines: z.array(StockLine).min(1) }),
  key,
})
