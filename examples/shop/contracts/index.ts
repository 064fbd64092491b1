/** The contracts of the shop: what its services say to each other, and nothing else they share. */
import type { Envelope, EventDefinition } from '@evtkit/sdk'
import { InventoryReleased, InventoryReservationFailed, InventoryReserved } from './inventory-events.ts'
import { NotificationSent } from './notification-events.ts'
import { OrderCancelled, OrderConfirmed, OrderCreated, OrderShipped } from './order-events.ts'
import { PaymentFailed, PaymentProcessed } from './payment-events.ts'
import { ShippingCreated } from './shipping-events.ts'
import { InventoryEvents, NotificationEvents, OrderEvents, PaymentEvents, ShippingEvents } from './topics.ts'

export { Money } from './money.ts'
export { CancelReason } from './order-events.ts'
export { OrderLine, StockLine } from './order-line.ts'
export { Recipient } from './recipient.ts'
export {
  InventoryEvents,
  InventoryReleased,
  InventoryReservationFailed,
  InventoryReserved,
  NotificationEvents,
  NotificationSent,
  OrderCancelled,
  OrderConfirmed,
  OrderCreated,
  OrderEvents,
  OrderShipped,
  PaymentEvents,
  PaymentFailed,
  PaymentProcessed,
  ShippingCreated,
  ShippingEvents,
}

export const allTopics = [OrderEvents, InventoryEvents, PaymentEvents, ShippingEvents, NotificationEvents] as const

/** Every event, all of which are about an order. */
export const allEvents: readonly EventDefinition<string, { readonly orderId: string }>[] = [
  OrderCreated,
  OrderConfirmed,
  OrderCancelled,
  OrderShipped,
  InventoryReserved,
  InventoryReservationFailed,
  InventoryReleased,
  PaymentProcessed,
  PaymentFailed,
  ShippingCreated,
  NotificationSent,
]

/** The envelope of an event, for functions that take one: `EventOf<typeof OrderCreated>`. */
export type EventOf<Definition extends EventDefinition> =
  Definition extends EventDefinition<infer Type, infer Data> ? Envelope<Type, Data> : never
