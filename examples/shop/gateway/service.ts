import { newUuid } from '@evtkit/sdk'
import { readCorrelationId } from '../platform/correlation-id.ts'
import type { Part } from '../platform/service.ts'
import { createOrdersClient } from './orders-client.ts'

/** The front door: takes orders over HTTP, answers at once, and tells where they stand. Keeps nothing. */
export const gateway: Part = {
  kind: 'part',
  name: 'gateway',
  create({ http, fetchFrom }) {
    const orders = createOrdersClient(fetchFrom('orders'))

    http.post('/orders', async (request, reply) => {
      const key = request.headers['idempotency-key']
      const placed = await orders.place(request.body, {
        'x-correlation-id': readCorrelationId(request.headers['x-correlation-id']) ?? newUuid(),
        ...(key !== undefined && { 'idempotency-key': String(key) }),
      })
      const url = `/orders/${placed.orderId}`
      return reply
        .code(202)
        .header('location', url)
        .header('x-correlation-id', placed.correlationId)
        .send({ orderId: placed.orderId, url, correlationId: placed.correlationId, repeated: placed.repeated })
    })

    http.get<{ Params: { orderId: string } }>('/orders/:orderId', (request) => orders.read(request.params.orderId))

    return { start: async () => {}, close: async () => {}, health: () => [] }
  },
}
