import { InventoryReserved, PaymentFailed, PaymentProcessed } from '../contracts/index.ts'
import { createEdges } from '../platform/edges.ts'
import type { Service } from '../platform/service.ts'
import { addCallbackRoute } from './callback-route.ts'
import { migrations } from './migrations.ts'
import { endPayment, pendingCharges, recordCharge } from './payment.ts'
import { PendingWatch } from './pending-watch.ts'
import { createProviderClient } from './provider-client.ts'

/** Has the provider charge cards, and says what came of it. */
export const payments: Service = {
  kind: 'service',
  name: 'payments',
  migrations,
  publishes: [PaymentProcessed, PaymentFailed],
  create(platform) {
    const { sql, clock, logger, settings } = platform
    // Handlers mostly wait for the provider, so many of them are no load.
    const edges = createEdges(platform, { group: 'payments', source: 'payment-service', concurrency: 64 })
    const { consumer, effects } = edges
    const provider = createProviderClient(platform.fetchFrom('payment-provider'), settings.paymentTimeoutMs)

    consumer.on(
      InventoryReserved,
      effects.once({
        // No answer throws, and the event comes again, so the provider is asked again under the same key.
        call: ({ data: { orderId, total, cardToken } }, { idempotencyKey, signal }) =>
          provider.charge({ ...total, cardToken, reference: orderId }, idempotencyKey, signal),
        record: (event, { tx, result: charge }) => recordCharge(edges, tx, event, charge),
      }),
    )

    const pending = new PendingWatch({
      clock,
      logger,
      everyMs: settings.paymentRecheckMs,
      async check(signal) {
        for (const chargeId of await pendingCharges(sql, 100)) {
          if (signal.aborted) return
          // One charge the provider cannot tell about must not keep the others waiting.
          try {
            const charge = await provider.find(chargeId, signal)
            await sql.transaction((tx) => endPayment(edges, tx, charge))
          } catch (error) {
            logger.warn({ error, chargeId }, 'could not learn what became of a charge; it is asked for again')
          }
        }
      },
    })
    addCallbackRoute(platform.http, { sql, edges, provider })

    return {
      handles: edges.handles,
      async start() {
        await edges.start()
        pending.start()
      },
      async close(deadlineMs) {
        await pending.close()
        await edges.close(deadlineMs)
      },
      health: () => edges.health(),
    }
  },
}
