import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Fault, type FaultAction, type FaultOptions, type FaultPoint, FaultRule } from './fault.ts'
import { findFreePort } from './free-port.ts'
import type { KafkaRequest } from './kafka-frame.ts'
import { ProxyConnection } from './proxy-connection.ts'

export interface FaultProxyOptions {
  /** Where the broker listens. */
  readonly target: { readonly host: string; readonly port: number }
  /** @default a free one */
  readonly listenPort?: number | undefined
}

/**
 * A stretch of network between Kafka clients and a broker that fails on command. It understands requests and responses
 * and pairs them, so that one can be lost that the broker has carried out. What no fault is for passes unchanged.
 */
export interface FaultProxy {
  readonly port: number
  /** Clients connected now. */
  readonly connections: number
  /** Strikes of all faults since the start. */
  readonly faultsFired: number
  /** Requests with this API key that clients sent since the start. */
  requestCount(apiKey: number): number
  /** The broker never sees the request; the connection stays. */
  dropRequest(apiKey: number, options?: FaultOptions): Fault
  /** The broker never sees the request; the client sees its connection end. */
  closeOnRequest(apiKey: number, options?: FaultOptions): Fault
  /** The request, and what follows on its connection, reaches the broker late, even when the client has left meanwhile. */
  delayRequest(apiKey: number, delayMs: number, options?: FaultOptions): Fault
  /** The broker carries the request out; the client never hears of it; the connection stays. */
  dropResponse(apiKey: number, options?: FaultOptions): Fault
  /** The broker carries the request out; the client sees its connection end instead of the response. */
  closeOnResponse(apiKey: number, options?: FaultOptions): Fault
  /** The response, and what follows on its connection, reaches the client late. */
  delayResponse(apiKey: number, delayMs: number, options?: FaultOptions): Fault
  /** Nothing passes in either direction, connections stay and new ones are accepted. What is held back passes after `heal`. */
  blackhole(): void
  /** All connections end, new ones end at once: the broker cannot be reached. */
  refuse(): void
  /** Takes away every fault, the black hole and the refusal. */
  heal(): void
  /** Ends all connections and stops listening. */
  close(): Promise<void>
}

/** Puts a proxy in front of a broker, whose advertised address must be the proxy's. It runs in this process. */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const port = options.listenPort ?? (await findFreePort())
  const proxy = new KafkaFaultProxy(port, options.target)
  await proxy.listen()
  return proxy
}

class KafkaFaultProxy implements FaultProxy {
  readonly port: number
  readonly #target: FaultProxyOptions['target']
  readonly #server: Server
  readonly #closing = new AbortController()
  readonly #open = new Set<ProxyConnection>()
  readonly #requestCounts = new Map<number, number>()
  #rules: FaultRule[] = []
  #faultsFired = 0
  #refusing = false
  #hole: { readonly healed: Promise<void>; readonly heal: () => void } | undefined

  constructor(port: number, target: FaultProxyOptions['target']) {
    this.port = port
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get connections(): number {
    return this.#open.size
  }

  get faultsFired(): number {
    return this.#faultsFired
  }

  requestCount(apiKey: number): number {
    return this.#requestCounts.get(apiKey) ?? 0
  }

  dropRequest(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('request', apiKey, { kind: 'drop' }, options)
  }

  closeOnRequest(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('request', apiKey, { kind: 'close' }, options)
  }

  delayRequest(apiKey: number, delayMs: number, options?: FaultOptions): Fault {
    return this.#add('request', apiKey, { kind: 'delay', delayMs }, options)
  }

  dropResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'drop' }, options)
  }

  closeOnResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'close' }, options)
  }

  delayResponse(apiKey: number, delayMs: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'delay', delayMs }, options)
  }

  blackhole(): void {
    if (this.#hole) return
    let heal = () => {}
    const healed = new Promise<void>((resolve) => {
      heal = resolve
    })
    this.#hole = { healed, heal }
  }

  refuse(): void {
    this.#refusing = true
    for (const connection of this.#open) connection.destroy()
  }

  heal(): void {
    this.#rules = []
    this.#refusing = false
    this.#hole?.heal()
    this.#hole = undefined
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#closing.abort()
    this.heal()
    const open = [...this.#open]
    for (const connection of open) connection.destroy()
    await Promise.all([closed, ...open.map((connection) => connection.closed)])
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.destroy()
      return
    }
    const connection = new ProxyConnection(client, this.#target, {
      decide: (point, request) => this.#decide(point, request),
      passable: () => this.#hole?.healed ?? Promise.resolve(),
      signal: this.#closing.signal,
    })
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
  }

  #add(point: FaultPoint, apiKey: number, action: FaultAction, options?: FaultOptions): Fault {
    const rule = new FaultRule(point, apiKey, action, options)
    this.#rules.push(rule)
    return rule
  }

  #decide(point: FaultPoint, request: KafkaRequest): FaultAction | undefined {
    if (point === 'request') this.#requestCounts.set(request.apiKey, this.requestCount(request.apiKey) + 1)
    const rule = this.#rules.find((candidate) => candidate.covers(point, request))
    if (!rule) return undefined
    rule.strike()
    this.#faultsFired++
    return rule.action
  }
}
