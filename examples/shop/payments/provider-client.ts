import { DependencyUnavailableError } from '@evtkit/sdk'
import { z } from 'zod'
import type { Fetch } from '../platform/fetch.ts'

/** A charge as the provider tells it. */
export interface Charge {
  readonly chargeId: string
  readonly status: 'pending' | 'succeeded' | 'declined'
  readonly reason: string | null
}

export interface ChargeOrder {
  readonly amount: number
  readonly currency: string
  readonly cardToken: string
  /** Our order's id; shows up in the provider's ledger. */
  readonly reference: string
}

export interface ProviderClient {
  /**
   * Charges a card. However often it is called with one key, the card is charged once and the answer is the same.
   *
   * @throws ProviderError when the provider did not answer in time or could not serve: call again with the same key.
   * @throws DependencyUnavailableError when it cannot be reached: an outage, which is no order's fault.
   */
  charge(order: ChargeOrder, idempotencyKey: string, signal: AbortSignal): Promise<Charge>
  /** @throws ProviderError */
  find(chargeId: string, signal: AbortSignal): Promise<Charge>
}

/** The provider gave no answer that decides anything; whether the card was charged is not known. */
export class ProviderError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProviderError'
  }
}

const Answer = z.object({
  chargeId: z.string().min(1),
  status: z.enum(['pending', 'succeeded', 'declined']),
  reason: z.string().nullable(),
})

/** @param timeoutMs longest wait for one answer. */
export function createProviderClient(provider: Fetch, timeoutMs: number): ProviderClient {
  const ask: typeof provider = async (path, request = {}) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout])
    try {
      return await provider(path, { ...request, signal })
    } catch (cause) {
      if (timeout.aborted)
        throw new ProviderError(`the payment provider gave no answer within ${timeoutMs} ms`, { cause })
      if (request.signal?.aborted === true) throw cause
      throw new DependencyUnavailableError('payment provider', 'the payment provider cannot be reached', { cause })
    }
  }
  return {
    async charge(order, idempotencyKey, signal) {
      const answer = await ask('/charges', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(order),
        signal,
      })
      // 402 is an answer too: the card was refused, and will be whenever it is asked for with this key.
      return readCharge(answer, [201, 202, 402])
    },
    async find(chargeId, signal) {
      return readCharge(await ask(`/charges/${encodeURIComponent(chargeId)}`, { signal }), [200])
    },
  }
}

async function readCharge(answer: Response, expected: readonly number[]): Promise<Charge> {
  if (!expected.includes(answer.status)) {
    await answer.body?.cancel()
    throw new ProviderError(`the payment provider answered ${answer.status}, expected ${expected.join(', ')}`)
  }
  const read = Answer.safeParse(await answer.json())
  if (!read.success) throw new ProviderError('the payment provider answered with something that is not a charge')
  return read.data
}
