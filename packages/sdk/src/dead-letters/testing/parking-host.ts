/** A consumer's side of the port, small enough to steer each attempt by hand. */

import { systemClock } from '../../core/clock.ts'
import type { FailedAttempt, FailedEvent, FailedEventsHost, RetryOutcome } from '../../core/failed-events.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Delivery } from '../../core/message.ts'

export const handled: RetryOutcome = { result: 'handled' }

export function attempt(message: string, code = 'Error'): FailedAttempt {
  return { at: Date.now(), code, message, stack: '    at somewhere' }
}

export function failure(
  message: string,
  over: Partial<Extract<RetryOutcome, { result: 'failed' }>> = {},
): RetryOutcome {
  return { result: 'failed', attempt: attempt(message), final: false, afterGivingUp: 'stop', ...over }
}

export function event(offset: number, key: string | Buffer | null, over: Partial<Delivery> = {}): Delivery {
  return {
    message: {
      topic: 'orders',
      key: typeof key === 'string' ? Buffer.from(key) : key,
      value: Buffer.from(`value of ${offset}`),
      headers: [
        ['event-id', Buffer.from(`id-${offset}`)],
        ['event-type', Buffer.from('OrderCreated')],
        ['event-version', Buffer.from('v1')],
        ['correlation-id', Buffer.from('request-1')],
      ],
      timestamp: 1_700_000_000_000 + offset,
    },
    partition: 0,
    offset: BigInt(offset),
    group: 'shipping',
    attempt: 1,
    replay: null,
    ...over,
  }
}

export function failed(delivery: Delivery, over: Partial<FailedEvent> = {}): FailedEvent {
  return { delivery, attempts: [attempt('out of stock', 'NO_STOCK')], final: false, afterGivingUp: 'stop', ...over }
}

/** A host whose attempts go to `run`, and that remembers what was handed over. */
export function parkingHost(
  run: (delivery: Delivery) => RetryOutcome | Promise<RetryOutcome>,
  over: Partial<FailedEventsHost> = {},
): FailedEventsHost & { readonly seen: bigint[] } {
  const seen: bigint[] = []
  return {
    group: 'shipping',
    topics: ['orders'],
    deadlineMs: 5000,
    clock: systemClock,
    logger: silentLogger,
    seen,
    async run(delivery) {
      seen.push(delivery.offset)
      return run(delivery)
    },
    ...over,
  }
}
