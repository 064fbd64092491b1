import { systemClock } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { type OrderRunReport, runOrders } from '../load/order-run.ts'
import { fetchAt } from '../platform/fetch.ts'
import { openStackWire } from './schemas.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { isAllReady, readStatus } from './status.ts'
import { healthInWords } from './status-table.ts'

const TELL_EVERY_MS = 2_000

export interface OrderOptions {
  readonly count: number
  readonly ratePerSecond?: number
  /** Gives the orders up that have not ended. */
  readonly signal?: AbortSignal
}

/**
 * Sends a mixed set of orders through the gateway and waits for the end of each.
 *
 * @throws StackError when the stack is not up.
 */
export async function order(stack: Stack, options: OrderOptions): Promise<OrderRunReport> {
  const { kafka, parts } = stack.state.state
  const stopped = kafka === undefined || Object.values(parts).every((part) => part.process === undefined)
  if (stopped) throw new StackError('The stack is not up. Run "npm run stack -- up" first.')
  const members = await readStatus(stack)
  if (!isAllReady(members)) {
    const notReady = members.filter((member) => !['ready', 'external'].includes(member.health.state))
    const list = notReady.map(({ name, health }) => `${name} (${healthInWords(health)})`).join(', ')
    // No reason to refuse: orders that come while parts are away are what the stack is there to show.
    stack.progress(`Not ready: ${list}. "npm run stack -- up" starts what is missing.`)
  }
  const { progress } = stack
  const { count } = options
  const logger = progressLogger(progress)
  const broker = createKafka({ brokers: kafka.address.split(','), clientId: 'stack-order', logger })
  const wire = openStackWire(stack, logger)
  const accepted = new Set<string>()
  // Of anyone's orders: an end may be heard of before the answer that names the order.
  const ended = new Set<string>()
  const tell = () => {
    const mine = [...accepted].filter((orderId) => ended.has(orderId))
    progress(`${accepted.size} of ${count} orders accepted, ${mine.length} ended ...`)
  }
  const timer = setInterval(tell, TELL_EVERY_MS)
  try {
    return await runOrders({
      ...options,
      fetchFrom: (part) => fetchAt(`http://127.0.0.1:${parts[part]?.port}`),
      source: broker,
      codec: wire.codec,
      clock: systemClock,
      logger,
      onPlaced: ({ orderId }) => accepted.add(orderId),
      onFact({ eventType, data }) {
        if (eventType === 'OrderShipped' || eventType === 'OrderCancelled') ended.add(data.orderId)
      },
    })
  } finally {
    clearInterval(timer)
    await broker.close()
    await wire.close()
  }
}

function progressLogger(progress: Stack['progress']) {
  return {
    debug() {},
    info() {},
    warn: (_fields: object, message: string) => progress(message),
    error: (_fields: object, message: string) => progress(message),
  }
}
