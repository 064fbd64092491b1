import { setMaxListeners } from 'node:events'
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { backoffMs } from '../core/backoff.ts'
import { type Clock, pause } from '../core/clock.ts'
import {
  ClosedError,
  InvalidConfigurationError,
  isRetryable,
  RegistryRefusedError,
  RegistryUnavailableError,
} from '../core/errors.ts'
import { parseRegistryAddress, type RegistryAddress } from './registry-address.ts'
import { asOneLine, wordsOf } from './registry-errors.ts'
import type { RegistryAnswer, RegistryExchange, RegistryRequest } from './registry-exchange.ts'

/** With what a client shows who it is. */
export type RegistryAuth =
  | { readonly basic: { readonly username: string; readonly password: string } }
  /** A token, or where to get one: asked for each request, so keep it until it is about to run out. */
  | { readonly bearer: string | (() => string | Promise<string>) }

/** How an `https` registry is trusted, and how it may trust us: what Node's own TLS takes. */
export type RegistryTls = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'servername' | 'rejectUnauthorized' | 'minVersion'
>

export interface HttpExchangeOptions {
  readonly url: string
  readonly auth: RegistryAuth | undefined
  readonly tls: RegistryTls | undefined
  readonly timeoutMs: number
  readonly retries: number
  readonly maxAnswerBytes: number
  readonly clock: Clock
  readonly random: () => number
}

const mediaType = 'application/vnd.schemaregistry.v1+json'
/** As many requests as run at once; more wait for a connection, within their time. */
const maxConnections = 8

/** Talks to a registry over Node's own HTTP. */
export class HttpExchange implements RegistryExchange {
  readonly place: string
  readonly name: string
  readonly #address: RegistryAddress
  readonly #options: HttpExchangeOptions
  readonly #agent: HttpAgent | HttpsAgent
  readonly #closing = new AbortController()

  /** @throws InvalidConfigurationError */
  constructor(options: HttpExchangeOptions) {
    this.#address = parseRegistryAddress(options.url)
    if (this.#address.credentials !== undefined && options.auth !== undefined)
      throw new InvalidConfigurationError(
        "the schema registry's address holds credentials, and `auth` was given as well; keep one of the two",
      )
    if (!(options.timeoutMs > 0))
      throw new InvalidConfigurationError(`timeoutMs must be more than 0, got ${options.timeoutMs}`)
    this.place = this.#address.place
    this.name = `the schema registry at ${this.place}`
    this.#options = options
    const kept = { keepAlive: true, maxSockets: maxConnections }
    // As many requests may wait as are made; Node would take the eleventh for a leak, and say so on standard error.
    setMaxListeners(0, this.#closing.signal)
    this.#agent = this.#address.secure ? new HttpsAgent({ ...kept, ...options.tls }) : new HttpAgent(kept)
  }

  async exchange(request: RegistryRequest): Promise<RegistryAnswer> {
    if (this.#closing.signal.aborted) throw closed(this.place)
    const { clock, timeoutMs } = this.#options
    const ending = new AbortController()
    const onClose = () => ending.abort(closed(this.place))
    this.#closing.signal.addEventListener('abort', onClose, { once: true })
    const deadline = clock.after(timeoutMs, () =>
      ending.abort(new RegistryUnavailableError(`${this.name} did not answer within ${timeoutMs} ms`)),
    )
    try {
      return await this.#untilAnswered(request, ending.signal)
    } finally {
      deadline.cancel()
      this.#closing.signal.removeEventListener('abort', onClose)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#agent.destroy()
  }

  async #untilAnswered(request: RegistryRequest, signal: AbortSignal): Promise<RegistryAnswer> {
    // A deletion repeated would be told that there is nothing to delete; everything else may be said twice.
    const attempts = request.method === 'DELETE' ? 1 : this.#options.retries + 1
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(request, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (attempt >= attempts || !isRetryable(error)) throw error
        await pause(this.#options.clock, backoffMs(attempt, this.#options.random, { maxMs: 1000 }), signal)
        signal.throwIfAborted()
      }
    }
  }

  async #once(request: RegistryRequest, signal: AbortSignal): Promise<RegistryAnswer> {
    const authorization = await this.#authorization(signal)
    const response = await this.#send(request, authorization, signal)
    const status = response.statusCode ?? 0
    if (status >= 300 && status < 400) {
      response.destroy()
      throw new RegistryRefusedError(
        `${this.name} answered with a redirect to ${printableTarget(response.headers.location)}. ` +
          'Redirects are not followed, because the credentials would go along; use the address to which it leads.',
        status,
      )
    }
    const text = await this.#text(response, signal)
    const quotable = withoutSecrets(text, this.#secrets(authorization))
    return this.#read(status, status < 400 ? text : quotable, quotable)
  }

  async #authorization(signal: AbortSignal): Promise<string | undefined> {
    const { auth } = this.#options
    const basic = this.#address.credentials ?? (auth !== undefined && 'basic' in auth ? auth.basic : undefined)
    if (basic !== undefined) return `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`
    if (auth === undefined || !('bearer' in auth)) return undefined
    if (typeof auth.bearer === 'string') return `Bearer ${auth.bearer}`
    const { bearer } = auth
    try {
      return `Bearer ${await unlessAborted(signal, async () => bearer())}`
    } catch (cause) {
      signal.throwIfAborted()
      throw new RegistryUnavailableError(`no token could be had for ${this.name}`, { cause })
    }
  }

  #send(request: RegistryRequest, authorization: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
    const { hostname, port, secure } = this.#address
    return new Promise((resolve, reject) => {
      let sent: ClientRequest
      try {
        sent = (secure ? requestHttps : requestHttp)({
          agent: this.#agent,
          hostname,
          port,
          method: request.method,
          path: this.#path(request),
          signal,
          headers: {
            accept: `${mediaType}, application/json`,
            'user-agent': 'evtkit',
            ...(body !== undefined && { 'content-type': mediaType, 'content-length': body.length }),
            ...(authorization !== undefined && { authorization }),
          },
        })
      } catch (cause) {
        // Node names the header that it would not send, never its value.
        reject(
          new InvalidConfigurationError(
            `the request to ${this.name} could not be made; look for line breaks in the credentials`,
            { cause },
          ),
        )
        return
      }
      sent.once('response', resolve)
      sent.on('error', (error) => reject(this.#failure(error, signal)))
      sent.end(body)
    })
  }

  #path({ path, query = {} }: RegistryRequest): string {
    const parts = path.map((part) => `/${encodeURIComponent(part)}`).join('')
    const own = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    )
    const all = [...(this.#address.query === '' ? [] : [this.#address.query]), ...own].join('&')
    return `${this.#address.basePath}${parts}${all === '' ? '' : `?${all}`}`
  }

  async #text(response: IncomingMessage, signal: AbortSignal): Promise<string> {
    const { maxAnswerBytes } = this.#options
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of response) {
        // No encoding is set on the response, so its chunks are buffers.
        chunks.push(chunk as Buffer)
        size += chunks.at(-1)?.length ?? 0
        if (size > maxAnswerBytes)
          throw new RegistryRefusedError(
            `${this.name} answered with more than ${maxAnswerBytes} bytes, which is more than is read (maxAnswerBytes)`,
            response.statusCode ?? 0,
          )
      }
    } catch (error) {
      throw error instanceof RegistryRefusedError ? error : this.#failure(error, signal)
    }
    return Buffer.concat(chunks, size).toString('utf8')
  }

  #read(status: number, text: string, quotable: string): RegistryAnswer {
    const body = parsed(text)
    if (status >= 500 || status === 429 || status === 408)
      throw new RegistryUnavailableError(
        `${this.name} cannot serve (${status}): ${body === undefined ? asOneLine(quotable.slice(0, 200)) : wordsOf({ status, body })}`,
      )
    if (body !== undefined) return { status, body }
    // Of a proxy on the way, or of a registry that does not know what it was asked.
    if (status === 401 || status === 403 || status === 404 || status === 405) return { status, body: undefined }
    throw new RegistryRefusedError(
      `what answers at ${this.place} is no schema registry: expected JSON, got ${text === '' ? 'nothing' : `"${asOneLine(quotable.slice(0, 80))}"`} with status ${status}. ` +
        'Check the address: most registries answer at its root, Apicurio at /apis/ccompat/v7.',
      status,
    )
  }

  #failure(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    const { code, message } = error as NodeJS.ErrnoException
    return new RegistryUnavailableError(`${this.name} cannot be reached: ${message || code || 'unknown'}`, {
      cause: error,
    })
  }

  /** What an echo of our request could give away. */
  #secrets(authorization: string | undefined): string[] {
    const { auth } = this.#options
    const password = this.#address.credentials?.password ?? (auth && 'basic' in auth ? auth.basic.password : '')
    const values = this.#address.query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1))
    return [
      authorization?.slice(authorization.indexOf(' ') + 1) ?? '',
      password,
      encodeURIComponent(password),
      ...values,
    ]
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Short ones stay: they would be found in the middle of ordinary words, and blanking those out would tell which they are. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => (secret.length < 4 ? left : left.replaceAll(secret, '***')), text)
}

function printableTarget(location: string | undefined): string {
  if (location === undefined) return 'nowhere'
  return asOneLine(location.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/s, ''))
}

function closed(place: string): ClosedError {
  return new ClosedError(`the client of the schema registry at ${place} is closed; create another one`)
}

function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}
