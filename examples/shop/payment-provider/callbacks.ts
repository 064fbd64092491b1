import { backoffMs, type Clock, type Logger, pause } from '@evtkit/sdk'
import type { Fetch } from '../platform/fetch.ts'
import type { Charge } from './charge.ts'
import type { ChargeLedger } from './charge-ledger.ts'

export interface CallbacksOptions {
  readonly ledger: ChargeLedger
  readonly client: Fetch
  readonly clock: Clock
  readonly logger: Logger
  /** How long a charge stays pending. Milliseconds. */
  readonly delayMs: number
}

/** How often one callback is tried before the client is left to ask by itself. */
const attempts = 5

/** Tells the client what became of its pending charges: each twice, as providers that never heard an answer do. */
export class Callbacks {
  readonly #options: CallbacksOptions
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(options: CallbacksOptions) {
    this.#options = options
  }

  callBackLater(charge: Charge): void {
    if (this.#stop.signal.aborted) return
    const running = this.#run(charge).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #run({ chargeId }: Charge): Promise<void> {
    const { ledger, clock, delayMs } = this.#options
    await pause(clock, delayMs, this.#stop.signal)
    if (this.#stop.signal.aborted) return
    const ended = ledger.succeed(chargeId)
    if (ended === undefined) return
    const body = JSON.stringify({ callbackId: `cb_${chargeId}`, chargeId, status: ended.status })
    await this.#deliver(body)
    await this.#deliver(body)
  }

  async #deliver(body: string): Promise<void> {
    const { client, clock, logger } = this.#options
    for (let attempt = 1; attempt <= attempts && !this.#stop.signal.aborted; attempt++) {
      try {
        const answer = await client('/provider-callbacks', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(2000)]),
        })
        await answer.body?.cancel()
        if (answer.ok) return
        logger.info({ status: answer.status, attempt }, 'callback was not taken')
      } catch (error) {
        logger.info({ error, attempt }, 'callback did not arrive')
      }
      await pause(clock, backoffMs(attempt, Math.random, { initialMs: 50, maxMs: 1000 }), this.#stop.signal)
    }
  }
}
