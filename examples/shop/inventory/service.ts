import {
  InventoryReleased,
  InventoryReservationFailed,
  InventoryReserved,
  OrderCreated,
  PaymentFailed,
} from '../contracts/index.ts'
import { createEdges } from '../platform/edges.ts'
import type { Service } from '../platform/service.ts'
import { migrations } from './migrations.ts'
import { releaseStock, reserveStock } from './reservation.ts'
import { readStock } from './stock.ts'

/** Knows what there is, and sets it aside for orders. */
export const inventory: Service = {
  kind: 'service',
  name: 'inventory',
  migrations,
  publishes: [InventoryReserved, InventoryReservationFailed, InventoryReleased],
  create(platform) {
    const edges = createEdges(platform, { group: 'inventory', source: 'inventory-service' })
    const { consumer, inbox, outbox, producer } = edges

    consumer.on(
      OrderCreated,
      inbox.once(async (event, { tx }) => {
        const { orderId, total, cardToken, recipient } = event.data
        const lines = event.data.lines.map(({ sku, quantity }) => ({ sku, quantity }))
        const publisher = producer.causedBy(event).through(outbox.in(tx))
        const reservation = await reserveStock(tx, orderId, lines)
        if (reservation.state === 'reserved')
          await publisher.publish(InventoryReserved, { orderId, lines, total, cardToken, recipient })
        if (reservation.state === 'refused')
          await publisher.publish(InventoryReservationFailed, {
            orderId,
            reason: 'OUT_OF_STOCK',
            missing: reservation.missing,
          })
      }),
    )

    consumer.on(
      PaymentFailed,
      inbox.once(async (event, { tx }) => {
        const { orderId } = event.data
        const lines = await releaseStock(tx, orderId)
        if (lines !== null)
          await producer.causedBy(event).through(outbox.in(tx)).publish(InventoryReleased, {
            orderId,
            lines,
            reason: 'PAYMENT_FAILED',
          })
      }),
    )

    platform.http.get('/stock', () => readStock(platform.sql))
    return edges
  },
}
