import type { Logger } from '@evtkit/sdk'
import fastify, { type FastifyInstance } from 'fastify'
import { readJsonBodies } from './json-body.ts'
import { answerWithProblems } from './problem.ts'

/** Largest body any part accepts. Bytes. */
export const bodyLimit = 32 * 1024

/** An HTTP server as every part has one: small bodies, no hostile keys, problem documents for answers that are not. */
export function createHttpServer(logger: Logger): FastifyInstance {
  const http = fastify({
    bodyLimit,
    // A client that sends its request a byte at a time holds a socket, not for ever.
    requestTimeout: 10_000,
    // Connections that only idle must not keep a closing server open.
    forceCloseConnections: 'idle',
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { maxParamLength: 200 },
  })
  readJsonBodies(http)
  answerWithProblems(http, logger)
  return http
}
