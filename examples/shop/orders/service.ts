import {
  InventoryReleased,
  InventoryReservationFailed,
  InventoryReserved,
  NotificationSent,
  OrderCancelled,
  OrderConfirmed,
  OrderCreated,
  OrderShipped,
  PaymentFailed,
  PaymentProcessed,
  ShippingCreated,
} from '../contracts/index.ts'
import { createEdges } from '../platform/edges.ts'
import type { Service } from '../platform/service.ts'
import { followOrder } from './follow-order.ts'
import { migrations } from './migrations.ts'
import { addToHistory } from './order-history.ts'
import { noteTrackingNumber } from './order-row.ts'
import { addOrderRoutes } from './routes.ts'

/** Takes orders and says where each stands. */
export const orders: Service = {
  kind: 'service',
  name: 'orders',
  migrations,
  publishes: [OrderCreated, OrderConfirmed, OrderCancelled, OrderShipped],
  create(platform) {
    const edges = createEdges(platform, { group: 'orders', source: 'order-service' })
    const { consumer, inbox } = edges
    addOrderRoutes(platform.http, { sql: platform.sql, edges, clock: platform.clock })

    consumer
      .on(
        InventoryReserved,
        inbox.once((event, { tx }) => followOrder(edges, tx, event, 'stock-reserved')),
      )
      .on(
        InventoryReservationFailed,
        inbox.once((event, { tx }) => followOrder(edges, tx, event, 'stock-missing')),
      )
      .on(
        PaymentProcessed,
        inbox.once((event, { tx }) => followOrder(edges, tx, event, 'paid')),
      )
      .on(
        PaymentFailed,
        inbox.once((event, { tx }) => followOrder(edges, tx, event, 'payment-declined')),
      )
      .on(
        ShippingCreated,
        inbox.once(async (event, { tx }) => {
          await noteTrackingNumber(tx, event.data.orderId, event.data.trackingNumber)
          await followOrder(edges, tx, event, 'parcel-labelled')
        }),
      )
      .on(
        InventoryReleased,
        inbox.once((event, { tx }) => addToHistory(tx, event.data.orderId, event)),
      )
      .on(
        NotificationSent,
        inbox.once(async (event, { tx }) => {
          const { orderId, template } = event.data
          // Customers are told of other things than orders, too.
          if (orderId === null) return
          const about = { ...event, data: { orderId } }
          if (template === 'ORDER_SHIPPED') await followOrder(edges, tx, about, 'customer-told')
          else await addToHistory(tx, orderId, about)
        }),
      )
    return edges
  },
}
