import { type Clock, type Codec, type Logger, pause, type Source } from '@evtkit/sdk'
import type { Discrepancy } from '../books/books.ts'
import { checkBooks } from '../books/check-books.ts'
import { collectBooks } from '../books/collect-books.ts'
import type { Fetch } from '../platform/fetch.ts'
import type { PartName } from '../platform/service.ts'
import { FactLog, type ShopFact } from './fact-log.ts'
import { readDuplicates } from './inbox-duplicates.ts'
import { type Latency, latencyOf } from './latency.ts'
import { type PlacedOrder, placeOrders } from './place-orders.ts'

export interface OrderRunOptions {
  /** How to reach each part; the gateway, inventory, the payment provider and the mail sink must be there. */
  readonly fetchFrom: (part: PartName) => Fetch
  /** Where the events of the shop are read from. */
  readonly source: Source
  /** What the services write with. @default JSON */
  readonly codec?: Codec
  readonly clock: Clock
  readonly logger: Logger
  readonly count: number
  /** @default as fast as they are answered */
  readonly ratePerSecond?: number
  /** @default 16 */
  readonly concurrency?: number
  /** How long nothing may happen before orders that have not ended are given up. Milliseconds. @default 60000 */
  readonly patienceMs?: number
  /** How long the books may take to agree once all orders have ended. Milliseconds. @default 15000 */
  readonly settleMs?: number
  readonly signal?: AbortSignal
  readonly onPlaced?: (order: PlacedOrder) => void
  readonly onFact?: (fact: ShopFact) => void
  readonly onRetry?: (reason: string) => void
}

/** What became of a set of orders. */
export interface OrderRunReport {
  readonly placed: number
  readonly shipped: number
  readonly cancelled: number
  /** Of the cancelled ones. */
  readonly declined: number
  /** Of the cancelled ones. */
  readonly outOfStock: number
  /** Orders that had not ended when the run was given up. */
  readonly pending: number
  /** Records on the topics that repeated an event. */
  readonly repeatedRecords: number
  /** Deliveries that the services' inboxes recognised as repeated, and ignored. */
  readonly duplicates: number
  /** From POST to its 202. */
  readonly accepted: Latency
  /** From POST to `OrderShipped`. */
  readonly shippedIn: Latency
  /** From the first POST to the last order's end. Milliseconds. */
  readonly ms: number
  /** Empty when every order has ended and the books agree. */
  readonly discrepancies: readonly Discrepancy[]
}

const pollMs = 20
const ends = new Set(['OrderShipped', 'OrderCancelled'])

/** Posts a mixed set of orders, waits for the end of each, and looks whether the books agree. */
export async function runOrders(options: OrderRunOptions): Promise<OrderRunReport> {
  const { fetchFrom, source, codec, clock, logger, onFact } = options
  let lastChange = clock.monotonic()
  const log = new FactLog({
    source,
    codec,
    logger,
    onFact(fact) {
      lastChange = clock.monotonic()
      onFact?.(fact)
    },
  })
  await log.start()
  try {
    const duplicatesBefore = await readDuplicates(fetchFrom)
    const begun = clock.monotonic()
    const placed = await placeOrders({ ...options, gateway: fetchFrom('gateway') })
    lastChange = clock.monotonic()
    const hasEnded = ({ orderId }: PlacedOrder) => log.factsOf(orderId).some((fact) => ends.has(fact.eventType))
    const patienceMs = options.patienceMs ?? 60_000
    let open = placed
    for (;;) {
      open = open.filter((order) => !hasEnded(order))
      if (open.length === 0) break
      if (options.signal?.aborted || clock.monotonic() - lastChange > patienceMs) break
      await pause(clock, pollMs, options.signal)
    }
    const ms = clock.monotonic() - begun
    const discrepancies = await settledBooks(options, placed, log)
    const duplicates = (await readDuplicates(fetchFrom)) - duplicatesBefore
    return report({ placed, log, ms, discrepancies, pending: open.length, duplicates: Math.max(0, duplicates) })
  } finally {
    await log.close()
  }
}

/** The last mail, the last released piece and the last offset come a little after an order's end, so the books get a while to agree. */
async function settledBooks(
  { fetchFrom, clock, settleMs = 15_000, signal }: OrderRunOptions,
  placed: readonly PlacedOrder[],
  log: FactLog,
): Promise<Discrepancy[]> {
  const orderIds = placed.map((order) => order.orderId)
  const begun = clock.monotonic()
  for (;;) {
    // A part that is away for a moment cannot tell what it knows; that is asked again, too.
    const discrepancies = await collectBooks({ fetchFrom, orderIds, facts: log.facts }).then(checkBooks, (error) => [
      { about: 'the books', message: `could not be read: ${error instanceof Error ? error.message : String(error)}` },
    ])
    if (discrepancies.length === 0 || signal?.aborted || clock.monotonic() - begun > settleMs) return discrepancies
    await pause(clock, 250, signal)
  }
}

function report(run: {
  readonly placed: readonly PlacedOrder[]
  readonly log: FactLog
  readonly ms: number
  readonly pending: number
  readonly duplicates: number
  readonly discrepancies: readonly Discrepancy[]
}): OrderRunReport {
  const { placed, log, ms, pending, duplicates, discrepancies } = run
  const shippedIn: number[] = []
  let declined = 0
  let outOfStock = 0
  for (const { orderId, postedAt } of placed) {
    const facts = log.factsOf(orderId)
    const shipped = facts.find((fact) => fact.eventType === 'OrderShipped')
    if (shipped !== undefined) shippedIn.push(Date.parse(shipped.timestamp) - postedAt)
    else if (facts.some((fact) => fact.eventType === 'PaymentFailed')) declined++
    else if (facts.some((fact) => fact.eventType === 'InventoryReservationFailed')) outOfStock++
  }
  return {
    placed: placed.length,
    shipped: shippedIn.length,
    cancelled: placed.length - shippedIn.length - pending,
    declined,
    outOfStock,
    pending,
    repeatedRecords: log.repeated,
    duplicates,
    accepted: latencyOf(placed.map((order) => order.acceptedInMs)),
    shippedIn: latencyOf(shippedIn),
    ms,
    discrepancies,
  }
}
