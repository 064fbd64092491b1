import { silentLogger } from '@evtkit/sdk'
import { defineMigrations } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { anOrder } from './bad-orders.ts'
import { InventoryReserved, PaymentFailedV1 } from './contracts/index.ts'
import { createEdges } from './platform/edges.ts'
import { createEmbeddedGround, type EmbeddedGround } from './platform/embedded-ground.ts'
import { fetchAt } from './platform/fetch.ts'
import type { Service } from './platform/service.ts'
import { type Shop, startShop } from './platform/shop.ts'
import { parts } from './process/parts.ts'

/** The payment service as it was before version 2 of its event: it passes on the code of the provider, and here declines everything. */
const paymentsOfLastYear: Service = {
  kind: 'service',
  name: 'payments',
  migrations: defineMigrations('old-payments', []),
  publishes: [PaymentFailedV1],
  create(platform) {
    const edges = createEdges(platform, { group: 'payments', source: 'payment-service' })
    const { consumer, inbox, outbox, producer } = edges
    consumer.on(
      InventoryReserved,
      inbox.once(async (event, { tx }) => {
        const { orderId } = event.data
        await producer
          .causedBy(event)
          .through(outbox.in(tx))
          .publish(PaymentFailedV1, { orderId, chargeId: `charge-of-${orderId}`, reason: 'card_declined' })
      }),
    )
    return edges
  },
}

const OrderView = z.object({
  status: z.string(),
  cancelReason: z.string().nullable(),
  history: z.array(z.object({ eventType: z.string() })),
})

let ground: EmbeddedGround
let shop: Shop

beforeAll(async () => {
  ground = await createEmbeddedGround(silentLogger)
  shop = await startShop({ parts: { ...parts, payments: paymentsOfLastYear }, ground, logger: silentLogger })
}, 60_000)

afterAll(async () => {
  await shop?.close()
  await ground?.close()
})

test('orders and inventory handle a failed payment that an older service tells of in version 1', async () => {
  const gateway = fetchAt(shop.url)
  const answer = await gateway('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(anOrder()),
  })
  const { url } = z.object({ url: z.string() }).parse(await answer.json())
  await vi.waitFor(
    async () => {
      const order = OrderView.parse(await (await gateway(url)).json())
      expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'payment_declined' })
      expect(order.history.map((step) => step.eventType)).toEqual(
        expect.arrayContaining(['PaymentFailed', 'InventoryReleased', 'OrderCancelled', 'NotificationSent']),
      )
    },
    { timeout: 30_000, interval: 50 },
  )
}, 60_000)
