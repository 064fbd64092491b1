import type { FastifyInstance } from 'fastify'
import { sendProblem } from './problem.ts'
import type { PieceHealth } from './service.ts'

/**
 * `/livez`: the process runs. `/readyz`: it can do its work; 503 with the name of each piece that cannot.
 * Until the part has started, every other path answers 503.
 */
export function addHealthRoutes(
  http: FastifyInstance,
  part: { readonly started: () => boolean; readonly pieces: () => Promise<readonly PieceHealth[]> },
): void {
  const healthPaths = new Set(['/livez', '/readyz'])
  http.addHook('onRequest', async (request, reply) => {
    if (part.started() || healthPaths.has(request.routeOptions.url ?? '')) return
    return sendProblem(reply, {
      status: 503,
      code: 'starting',
      title: 'Not ready yet',
      detail: 'The service is starting or waits for its database or broker. Try again shortly.',
    })
  })
  http.get('/livez', async () => ({ alive: true }))
  http.get('/readyz', async (_request, reply) => {
    const pieces = await part.pieces()
    const ready = part.started() && pieces.every((piece) => piece.ready)
    return reply.code(ready ? 200 : 503).send({
      ready,
      notReady: pieces.filter((piece) => !piece.ready).map((piece) => piece.piece),
      pieces,
    })
  })
}
