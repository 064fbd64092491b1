/** Answers for requests that cannot be served, as problem documents (RFC 9457). */
import type { Logger } from '@evtkit/sdk'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

export interface Problem {
  /** HTTP status. */
  readonly status: number
  /** Short and stable, for programs: the last part of the document's `type`. */
  readonly code: string
  readonly title: string
  readonly detail: string
  /** Each wrong field: where, and what about it. */
  readonly errors?: readonly FieldError[]
}

export interface FieldError {
  /** Such as `lines.0.quantity`. */
  readonly path: string
  readonly message: string
}

/** Thrown by a route to answer with a problem document. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.name = 'ProblemError'
    this.problem = problem
  }
}

export const problemContentType = 'application/problem+json'

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, title, detail, errors } = problem
  if (status === 503) reply.header('retry-after', '1')
  return reply
    .code(status)
    .type(problemContentType)
    .send(JSON.stringify({ type: `urn:shop:problem:${code}`, title, status, detail, ...(errors && { errors }) }))
}

/** Turns whatever a route throws into a problem document that shows nothing of the inside. */
export function answerWithProblems(http: FastifyInstance, logger: Logger): void {
  http.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ProblemError) return sendProblem(reply, error.problem)
    const known = requestProblem(error)
    if (known !== undefined) return sendProblem(reply, known)
    logger.error({ error, method: request.method, route: request.routeOptions.url }, `request failed: ${error.message}`)
    return sendProblem(reply, {
      status: 500,
      code: 'internal',
      title: 'Something went wrong on our side',
      detail: 'The request was not at fault. Try again; what was done already will not be done twice.',
    })
  })
  http.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'not-found',
      title: 'Nothing here',
      detail: `There is no ${request.method} at this path.`,
    }),
  )
}

/** What the HTTP server itself refuses, in our words: its own would name its insides. */
function requestProblem(error: FastifyError): Problem | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return {
      status: 413,
      code: 'body-too-large',
      title: 'The body is too large',
      detail: 'Send a smaller body; an order fits in 32 KiB.',
    }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return {
      status: 415,
      code: 'not-json',
      title: 'The body is not JSON',
      detail: 'Send it with content-type: application/json.',
    }
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return undefined
  return {
    status,
    code: 'unreadable-request',
    title: 'The request cannot be read',
    detail: 'Expected a JSON document in UTF-8, without keys such as "__proto__".',
  }
}
