import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClosedError, InvalidConfigurationError } from '../../core/errors.ts'
import type { RegistryAnswer, RegistryRequest } from '../registry-exchange.ts'
import { faults, RegistryFault } from './registry-fault.ts'
import { createSchemaRegistry, type SchemaRegistry, type SchemaRegistryOptions } from './schema-registry.ts'

export interface RegistryServerOptions extends SchemaRegistryOptions {
  /** @default a free one */
  readonly port?: number
  /** The server asks nobody who they are, so think before you open it to others. @default '127.0.0.1' */
  readonly host?: string
  /** Serves this registry instead of one of its own. */
  readonly registry?: SchemaRegistry
}

/** A schema registry that listens for HTTP. */
export interface RegistryServer {
  /** Where it listens, without a slash at the end. @throws ClosedError before `start` and after `close`. */
  readonly url: string
  /** Resolves when it listens. */
  start(): Promise<void>
  /** Answers what is under way and stops listening. Twice is once. */
  close(): Promise<void>
}

const mediaType = 'application/vnd.schemaregistry.v1+json'
const maxBodyBytes = 4 * 1024 * 1024
const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const

/**
 * Creates a registry server for development and tests.
 *
 * @example
 * const server = createRegistryServer()
 * await server.start()
 * const client = createRegistryClient({ url: server.url })
 */
export function createRegistryServer(options: RegistryServerOptions = {}): RegistryServer {
  const registry = options.registry ?? createSchemaRegistry(options)
  return new HttpRegistryServer(registry, options.host ?? '127.0.0.1', options.port ?? 0)
}

class HttpRegistryServer implements RegistryServer {
  readonly #registry: SchemaRegistry
  readonly #host: string
  readonly #port: number
  #server: Server | undefined

  constructor(registry: SchemaRegistry, host: string, port: number) {
    this.#registry = registry
    this.#host = host
    this.#port = port
  }

  get url(): string {
    if (this.#server?.listening !== true)
      throw new ClosedError('the registry server has no address because it does not listen; await start() first')
    // It listens on TCP, so its address is not the name of a pipe.
    const { address, family, port } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) throw new InvalidConfigurationError('the registry server was started already')
    const server = createServer((request, response) => void this.#serve(request, response))
    this.#server = server
    server.listen({ port: this.#port, host: this.#host, exclusive: true })
    await once(server, 'listening')
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server?.listening !== true) return
    const gone = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    await gone
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answer(request)
    const text = Buffer.from(JSON.stringify(body))
    response.writeHead(status, {
      'content-type': mediaType,
      'content-length': text.length,
      // A connection kept alive would hold up a server that is closing; behind a body that was not read nothing can follow.
      ...((this.#server?.listening !== true || !request.complete) && { connection: 'close' }),
    })
    response.end(text)
  }

  async #answer(request: IncomingMessage): Promise<RegistryAnswer> {
    try {
      return await this.#registry.handle(await readRequest(request))
    } catch (error) {
      if (error instanceof RegistryFault) return error.answer
      // The client went away in the middle of its request: nobody reads this.
      return faults.malformed('the request ended too early').answer
    }
  }
}

async function readRequest(request: IncomingMessage): Promise<RegistryRequest> {
  const method = methods.find((known) => known === request.method)
  if (method === undefined) throw faults.unknownMethod()
  // Clients of registries are no browsers: only a page of somebody else's would say where it comes from.
  if (method !== 'GET' && request.headers.origin !== undefined)
    throw new RegistryFault(403, 'Requests from web pages are not answered')
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  return {
    method,
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(unescaped),
    query: Object.fromEntries(new URLSearchParams(query)),
    body: await readBody(request),
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    // No encoding is set on the request, so its chunks are buffers.
    const bytes = chunk as Buffer
    size += bytes.length
    // Read on to its end all the same: a client that is cut off while it sends never sees the answer.
    if (size <= maxBodyBytes) chunks.push(bytes)
  }
  if (size > maxBodyBytes) throw new RegistryFault(413, `The request is longer than ${maxBodyBytes} bytes`)
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks, size).toString('utf8'))
  } catch {
    throw faults.malformed('the body is not JSON')
  }
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw faults.malformed('the path is not well formed')
  }
}
