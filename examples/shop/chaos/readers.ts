import {
  CartEvents,
  InventoryEvents,
  NotificationEvents,
  OrderEvents,
  PaymentEvents,
  ShippingEvents,
} from '../contracts/index.ts'

/** Which group reads which topic, and the events of it that have an effect there. Written down by hand: it is what the checker expects. */
export const readers: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  orders: {
    [InventoryEvents.name]: ['InventoryReserved', 'InventoryReservationFailed', 'InventoryReleased'],
    [PaymentEvents.name]: ['PaymentProcessed', 'PaymentFailed'],
    [ShippingEvents.name]: ['ShippingCreated'],
    [NotificationEvents.name]: ['NotificationSent'],
  },
  inventory: { [OrderEvents.name]: ['OrderCreated'], [PaymentEvents.name]: ['PaymentFailed'] },
  payments: { [InventoryEvents.name]: ['InventoryReserved'] },
  shipping: { [PaymentEvents.name]: ['PaymentProcessed'] },
  notifications: { [ShippingEvents.name]: ['ShippingCreated'], [OrderEvents.name]: ['OrderCancelled'] },
  'cart-mirror': { [CartEvents.name]: ['CartUpdated'] },
}

export const groups: readonly string[] = Object.keys(readers)

/** The topics on which anything happens. */
export const liveTopics: readonly string[] = [
  ...new Set(Object.values(readers).flatMap((topics) => Object.keys(topics))),
].sort()

export function groupsOf(topic: string): string[] {
  return groups.filter((group) => readers[group]?.[topic] !== undefined)
}
