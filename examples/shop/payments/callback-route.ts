import type { Sql } from '@evtkit/sdk/postgres'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Edges } from '../platform/edges.ts'
import { ProblemError } from '../platform/problem.ts'
import { endPayment } from './payment.ts'
import type { ProviderClient } from './provider-client.ts'

const Callback = z.object({ callbackId: z.string().min(1).max(200), chargeId: z.string().min(1).max(200) })

/**
 * Where the provider calls back. A callback is only a hint, since anyone could send one: what became of the charge is
 * asked of the provider itself.
 */
export function addCallbackRoute(
  http: FastifyInstance,
  { sql, edges, provider }: { sql: Sql; edges: Edges; provider: ProviderClient },
): void {
  http.post('/provider-callbacks', async (request, reply) => {
    const callback = Callback.safeParse(request.body)
    if (!callback.success)
      throw new ProblemError({
        status: 400,
        code: 'invalid-callback',
        title: 'This is not a callback',
        detail: 'Expected callbackId and chargeId.',
      })
    const { callbackId, chargeId } = callback.data
    const charge = await provider.find(chargeId, AbortSignal.timeout(10_000))
    await sql.transaction(async (tx) => {
      const outcome = await endPayment(edges, tx, charge)
      // The provider may be faster than our own commit; it calls again.
      if (outcome === 'unknown')
        throw new ProblemError({
          status: 503,
          code: 'not-yet',
          title: 'This charge is not known yet',
          detail: 'Call back again shortly.',
        })
      await tx.query('insert into provider_callbacks (callback_id, charge_id) values ($1, $2) on conflict do nothing', [
        callbackId,
        chargeId,
      ])
    })
    return reply.code(204).send()
  })
}
