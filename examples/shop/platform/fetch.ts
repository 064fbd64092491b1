import type { FastifyInstance } from 'fastify'

/** `fetch` with a path instead of a URL: where the other side runs is not the caller's business. */
export type Fetch = (path: string, request?: FetchRequest) => Promise<Response>

export interface FetchRequest {
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Gives up, with the signal's reason as the error. */
  readonly signal?: AbortSignal
}

/** Reaches a server at its base URL. Redirects are refused: no part of the shop has a reason to send one. */
export function fetchAt(baseUrl: string): Fetch {
  return (path, request = {}) => fetch(new URL(path, baseUrl), { ...request, redirect: 'error' })
}

/** Reaches a server in the same process, without a socket. */
export function fetchInProcess(server: () => FastifyInstance): Fetch {
  return async (path, { method = 'GET', headers = {}, body, signal } = {}) => {
    signal?.throwIfAborted()
    const answering = server().inject({ method, url: path, headers, ...(body === undefined ? {} : { payload: body }) })
    const answer = await (signal === undefined ? answering : unlessAborted(answering, signal))
    const received = new Headers()
    for (const [name, value] of Object.entries(answer.headers))
      if (value !== undefined) received.set(name, String(value))
    return new Response(answer.statusCode === 204 ? null : answer.body, {
      status: answer.statusCode,
      headers: received,
    })
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
