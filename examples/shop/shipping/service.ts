import { PaymentProcessed, ShippingCreated } from '../contracts/index.ts'
import { createEdges } from '../platform/edges.ts'
import type { Service } from '../platform/service.ts'
import { deliveryDay, labelFor } from './label.ts'
import { migrations } from './migrations.ts'

/** Puts labels on parcels. */
export const shipping: Service = {
  kind: 'service',
  name: 'shipping',
  migrations,
  publishes: [ShippingCreated],
  create(platform) {
    const edges = createEdges(platform, { group: 'shipping', source: 'shipping-service' })
    const { consumer, inbox, outbox, producer } = edges

    consumer.on(
      PaymentProcessed,
      inbox.once(async (event, { tx }) => {
        const { orderId, recipient } = event.data
        const { carrier, trackingNumber } = labelFor(orderId)
        const { rowCount } = await tx.query(
          `insert into shipments (order_id, carrier, tracking_number, recipient) values ($1, $2, $3, $4::jsonb)
           on conflict (order_id) do nothing`,
          [orderId, carrier, trackingNumber, JSON.stringify(recipient)],
        )
        if (rowCount === 1)
          await producer
            .causedBy(event)
            .through(outbox.in(tx))
            .publish(ShippingCreated, {
              orderId,
              carrier,
              trackingNumber,
              recipient,
              estimatedDelivery: deliveryDay(platform.clock.now()),
            })
      }),
    )
    return edges
  },
}
