import { z } from 'zod'
import type { Fetch } from '../platform/fetch.ts'
import type { PartName } from '../platform/service.ts'
import type { BookFact, Books, OrderEntry } from './books.ts'

const Order = z.object({
  orderId: z.string(),
  status: z.string(),
  total: z.object({ amount: z.int(), currency: z.string() }),
})
const Stock = z.array(z.object({ sku: z.string(), onHand: z.int(), reserved: z.int() }))
const Charges = z.array(
  z.object({
    chargeId: z.string(),
    reference: z.string(),
    amount: z.int(),
    currency: z.string(),
    status: z.string(),
  }),
)
const Mails = z.array(z.object({ messageId: z.string(), orderId: z.string() }))

export interface CollectBooksOptions {
  readonly fetchFrom: (part: PartName) => Fetch
  readonly orderIds: readonly string[]
  readonly facts: readonly BookFact[]
}

/** Asks every part for what it knows. */
export async function collectBooks({ fetchFrom, orderIds, facts }: CollectBooksOptions): Promise<Books> {
  const read = async <T>(part: PartName, path: string, schema: z.ZodType<T>): Promise<T> => {
    const answer = await fetchFrom(part)(path, { signal: AbortSignal.timeout(10_000) })
    if (!answer.ok) throw new Error(`${part} answered ${answer.status} to GET ${path}`)
    return schema.parse(await answer.json())
  }
  const [orders, stock, charges, mails] = await Promise.all([
    readOrders(fetchFrom('gateway'), orderIds),
    read('inventory', '/stock', Stock),
    read('payment-provider', '/charges', Charges),
    read('mail-sink', '/mails', Mails),
  ])
  return { orders, facts, stock, charges, mails }
}

/** Orders asked for at once. */
const atOnce = 16

async function readOrders(gateway: Fetch, orderIds: readonly string[]): Promise<OrderEntry[]> {
  const orders: OrderEntry[] = []
  for (let i = 0; i < orderIds.length; i += atOnce)
    orders.push(...(await Promise.all(orderIds.slice(i, i + atOnce).map((orderId) => readOrder(gateway, orderId)))))
  return orders
}

async function readOrder(gateway: Fetch, orderId: string): Promise<OrderEntry> {
  const answer = await gateway(`/orders/${orderId}`, { signal: AbortSignal.timeout(10_000) })
  if (answer.status === 404) return { orderId, status: 'unknown', total: null }
  if (!answer.ok) throw new Error(`the gateway answered ${answer.status} to GET /orders/${orderId}`)
  return Order.parse(await answer.json())
}
