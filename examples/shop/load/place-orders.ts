import { randomUUID } from 'node:crypto'
import { type Clock, pause } from '@evtkit/sdk'
import { z } from 'zod'
import type { Fetch } from '../platform/fetch.ts'
import { mixedOrder, type OrderKind } from './order-mix.ts'

export interface PlaceOrdersOptions {
  readonly gateway: Fetch
  readonly count: number
  readonly clock: Clock
  /** Posts under way at once. @default 16 */
  readonly concurrency?: number
  /** Posts begun per second at most. @default as fast as they are answered */
  readonly ratePerSecond?: number
  /** Ends the attempts. */
  readonly signal?: AbortSignal
  readonly onPlaced?: (order: PlacedOrder) => void
  /** An order that was not taken at once and is posted again under the same key. */
  readonly onRetry?: (reason: string) => void
}

export interface PlacedOrder {
  /** Its place in the mix, from 0. */
  readonly index: number
  readonly kind: OrderKind
  readonly orderId: string
  readonly correlationId: string
  /** When the first POST of it began. Milliseconds since the epoch. */
  readonly postedAt: number
  /** How long until its 202. Milliseconds. */
  readonly acceptedInMs: number
}

const Accepted = z.object({ orderId: z.string(), correlationId: z.string() })

/** Wait before an order that was not taken is posted again. Milliseconds. */
const retryMs = 250

/**
 * Posts a mixed set of orders through the gateway. Each has an Idempotency-Key, so one whose answer was lost is posted again
 * until it is answered, without ever becoming two.
 *
 * @throws Error when the gateway refuses an order for good.
 */
export async function placeOrders(options: PlaceOrdersOptions): Promise<PlacedOrder[]> {
  const { count, clock, concurrency = 16, ratePerSecond, signal, onPlaced } = options
  const placed: PlacedOrder[] = []
  const begun = clock.monotonic()
  let next = 0
  const worker = async () => {
    while (next < count && !signal?.aborted) {
      const index = next++
      if (ratePerSecond !== undefined)
        await pause(clock, begun + (index * 1000) / ratePerSecond - clock.monotonic(), signal)
      const order = await placeOne(index, options)
      if (order === undefined) return
      placed.push(order)
      onPlaced?.(order)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  return placed.sort((a, b) => a.index - b.index)
}

/** `undefined` when it was given up by the signal. */
async function placeOne(
  index: number,
  { gateway, clock, signal, onRetry }: PlaceOrdersOptions,
): Promise<PlacedOrder | undefined> {
  const { kind, body } = mixedOrder(index)
  const key = randomUUID()
  const postedAt = clock.now()
  const begun = clock.monotonic()
  while (!signal?.aborted) {
    const answer = await post(gateway, body, key)
    if (answer instanceof Response && answer.status === 202) {
      const { orderId, correlationId } = Accepted.parse(await answer.json())
      return { index, kind, orderId, correlationId, postedAt, acceptedInMs: clock.monotonic() - begun }
    }
    if (answer instanceof Response && answer.status < 500)
      throw new Error(`the gateway refused order ${index} of the mix: ${answer.status} ${await answer.text()}`)
    onRetry?.(answer instanceof Response ? `the gateway answered ${answer.status}` : answer.message)
    await pause(clock, retryMs, signal)
  }
  return undefined
}

async function post(gateway: Fetch, body: object, key: string): Promise<Response | Error> {
  try {
    return await gateway('/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
