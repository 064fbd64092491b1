import { newUuid, pause } from '@evtkit/sdk'
import type { Part } from '../platform/service.ts'
import { Callbacks } from './callbacks.ts'
import { ChargeLedger } from './charge-ledger.ts'
import { addChargeRoutes } from './charge-routes.ts'

/** How long an answer that hangs takes, longer than any client should wait. Milliseconds. */
const hangMs = 30_000
/** How long a charge stays pending before its callbacks. Milliseconds. */
const callbackDelayMs = 50

/**
 * The sandbox of a payment provider: the outside world, so it shares nothing with the shop but HTTP. The card's token says
 * how it behaves: `tok_ok` pays, `tok_declined` does not, `tok_timeout` charges and never says so the first time,
 * `tok_unavailable` fails once before it pays, `tok_twice` answers "pending" and then calls back twice.
 */
export const paymentProvider: Part = {
  kind: 'part',
  name: 'payment-provider',
  create({ http, clock, logger, settings, fetchFrom }) {
    const ledger = new ChargeLedger(settings.ledgerFile)
    const callbacks = new Callbacks({
      ledger,
      client: fetchFrom('payments'),
      clock,
      logger,
      delayMs: callbackDelayMs,
    })
    const closing = new AbortController()
    addChargeRoutes(http, {
      ledger,
      newChargeId: () => `ch_${newUuid()}`,
      hang: () => pause(clock, hangMs, closing.signal),
      callBackLater: (charge) => callbacks.callBackLater(charge),
    })
    // Before the server waits for its open requests, or the hanging ones would be waited for.
    http.addHook('preClose', async () => closing.abort())
    return {
      async start() {
        for (const charge of ledger.all()) if (charge.status === 'pending') callbacks.callBackLater(charge)
      },
      close: () => callbacks.close(),
      health: () => [],
    }
  },
}
