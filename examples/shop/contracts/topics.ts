import { defineTopic } from '@evtkit/sdk'

const day = 24 * 3_600_000
const year = 365 * day

export const OrderEvents = defineTopic({ name: 'order-events', partitions: 20, retentionMs: year })
export const InventoryEvents = defineTopic({ name: 'inventory-events', partitions: 16, retentionMs: 7 * day })
export const PaymentEvents = defineTopic({ name: 'payment-events', partitions: 12, retentionMs: 7 * year })
export const ShippingEvents = defineTopic({ name: 'shipping-events', partitions: 8, retentionMs: year })
export const NotificationEvents = defineTopic({ name: 'notification-events', partitions: 4, retentionMs: 30 * day })
