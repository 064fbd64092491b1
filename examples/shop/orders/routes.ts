import { type Clock, newUuid } from '@evtkit/sdk'
import type { Sql } from '@evtkit/sdk/postgres'
import type { FastifyInstance } from 'fastify'
import { readCorrelationId } from '../platform/correlation-id.ts'
import type { Edges } from '../platform/edges.ts'
import { ProblemError } from '../platform/problem.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { readHistory } from './order-history.ts'
import { readOrderRequest } from './order-request.ts'
import { readOrder } from './order-row.ts'
import { placeOrder } from './place-order.ts'

export function addOrderRoutes(
  http: FastifyInstance,
  { sql, edges, clock }: { sql: Sql; edges: Edges; clock: Clock },
): void {
  http.post('/orders', async (request, reply) => {
    const placed = await placeOrder(
      { sql, producer: edges.producer, outbox: edges.outbox, clock },
      {
        request: readOrderRequest(request.body),
        correlationId: readCorrelationId(request.headers['x-correlation-id']) ?? newUuid(),
        idempotencyKey: readIdempotencyKey(request.headers['idempotency-key']),
        orderId: newUuid(),
      },
    )
    return reply.code(202).send(placed)
  })

  http.get<{ Params: { orderId: string } }>('/orders/:orderId', async (request) => {
    const { orderId } = request.params
    const order = isUuid(orderId) ? await readOrder(sql, orderId) : undefined
    if (order === undefined)
      throw new ProblemError({
        status: 404,
        code: 'no-such-order',
        title: 'There is no such order',
        detail: 'No order has this id.',
      })
    return {
      orderId: order.orderId,
      customerId: order.customerId,
      status: order.status,
      cancelReason: order.cancelReason,
      trackingNumber: order.trackingNumber,
      total: order.total,
      correlationId: order.correlationId,
      history: await readHistory(sql, orderId),
    }
  })
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
