import { z } from 'zod'
import type { Fetch, FetchRequest } from '../platform/fetch.ts'
import { type Problem, ProblemError } from '../platform/problem.ts'

const Placed = z.object({ orderId: z.string(), correlationId: z.string(), repeated: z.boolean() })

/** What the gateway tells of an order. What orders may add one day stays inside until it is named here. */
const OrderView = z.object({
  orderId: z.string(),
  status: z.string(),
  cancelReason: z.string().nullable(),
  trackingNumber: z.string().nullable(),
  total: z.object({ amount: z.int(), currency: z.string() }),
  correlationId: z.string(),
  history: z.array(z.object({ eventType: z.string(), time: z.string(), source: z.string(), eventId: z.string() })),
})

const ProblemDocument = z.object({
  type: z.string(),
  title: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

export interface OrdersClient {
  /** @throws ProblemError with what orders refused, or 503 when it cannot be reached. */
  place(order: unknown, headers: Readonly<Record<string, string>>): Promise<z.infer<typeof Placed>>
  /** @throws ProblemError */
  read(orderId: string): Promise<z.infer<typeof OrderView>>
}

/** Longest wait for orders. Milliseconds. */
const timeoutMs = 10_000

export function createOrdersClient(orders: Fetch): OrdersClient {
  const ask = async (path: string, request: FetchRequest = {}) => {
    let answer: Response
    try {
      answer = await orders(path, { ...request, signal: AbortSignal.timeout(timeoutMs) })
    } catch {
      throw new ProblemError(unavailable)
    }
    // A refusal is passed on in the words of orders; whatever else goes wrong there is not the client's business.
    if (answer.status >= 400) throw new ProblemError(await readRefusal(answer))
    return answer.json()
  }
  return {
    async place(order, headers) {
      const body = JSON.stringify(order)
      return Placed.parse(
        await ask('/orders', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }),
      )
    },
    async read(orderId) {
      return OrderView.parse(await ask(`/orders/${encodeURIComponent(orderId)}`))
    },
  }
}

const unavailable: Problem = {
  status: 503,
  code: 'orders-unavailable',
  title: 'Orders cannot be taken at the moment',
  detail: 'Try again shortly, with the same Idempotency-Key: an order that was taken is then not taken twice.',
}

async function readRefusal(answer: Response): Promise<Problem> {
  const document = ProblemDocument.safeParse(await answer.json().catch(() => undefined))
  if (answer.status >= 500 || !document.success) return unavailable
  const { type, title, detail, errors } = document.data
  const code = type.slice(type.lastIndexOf(':') + 1)
  return { status: answer.status, code, title, detail, ...(errors && { errors }) }
}
