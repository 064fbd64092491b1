import type { Direction, Fault, FaultAction, FaultOptions } from './fault.ts'
import { errorCodeWritten, isErrorCodeKnown } from './kafka-error-code.ts'
import type { KafkaRequest } from './kafka-frame.ts'
import { KafkaDialect } from './proxy-kafka-dialect.ts'
import { type FaultProxyOptions, listening, ProxyServer, type TcpFaultProxy } from './proxy-server.ts'

/**
 * A stretch of network between Kafka clients and a broker that fails on command. It understands requests and responses
 * and pairs them, so that one can be lost that the broker has carried out. What no fault is for passes unchanged.
 *
 * Each fault is for one API key (`API_KEYS`) and strikes once, unless its options say otherwise.
 */
export interface FaultProxy extends TcpFaultProxy {
  /** Requests with this API key that clients sent since the start. */
  requestCount(apiKey: number): number
  /** The broker never sees the request; the connection stays. */
  dropRequest(apiKey: number, options?: FaultOptions): Fault
  /** The broker never sees the request; the client sees its connection end. */
  closeOnRequest(apiKey: number, options?: FaultOptions): Fault
  /** The request, and what follows on its connection, reaches the broker late, even when the client has left meanwhile. */
  delayRequest(apiKey: number, delayMs: number, options?: FaultOptions): Fault
  /** The broker gets so many bytes of the request, its length included, and then the end of the connection. */
  cutRequest(apiKey: number, bytes: number, options?: FaultOptions): Fault
  /** The broker carries the request out; the client never hears of it; the connection stays. */
  dropResponse(apiKey: number, options?: FaultOptions): Fault
  /** The broker carries the request out; the client sees its connection end instead of the response. */
  closeOnResponse(apiKey: number, options?: FaultOptions): Fault
  /** The broker carries the request out; the client sees a reset (RST) instead of the response. */
  resetOnResponse(apiKey: number, options?: FaultOptions): Fault
  /** The broker carries the request out; from then on the connection carries nothing, and nobody is told. */
  silenceOnResponse(apiKey: number, options?: FaultOptions): Fault
  /** The response, and what follows on its connection, reaches the client late. */
  delayResponse(apiKey: number, delayMs: number, options?: FaultOptions): Fault
  /** The client gets so many bytes of the response, its length included, and then the end of the connection. */
  cutResponse(apiKey: number, bytes: number, options?: FaultOptions): Fault
  /**
   * The broker carries the request out, and the client is told that it failed, with this of Kafka's error codes for every
   * topic and partition of the response.
   *
   * A response in a version that the proxy cannot read passes as it is, and does not count as a strike.
   *
   * @throws RangeError for an API key whose responses the proxy cannot read
   */
  failResponse(apiKey: number, errorCode: number, options?: FaultOptions): Fault
}

/**
 * Puts a proxy in front of a Kafka broker, whose advertised address must be the proxy's. It runs in this process.
 *
 * @example
 * const proxy = await createFaultProxy({ target: { host: '127.0.0.1', port: 9092 }, listenPort: 9192 })
 * const fault = proxy.failResponse(API_KEYS.OffsetCommit, 7, { match: ({ clientId }) => clientId === 'shipping' })
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  return listening(options, (port) => new KafkaFaultProxy(port, options.target))
}

class KafkaFaultProxy extends ProxyServer<KafkaRequest> implements FaultProxy {
  readonly #requestCounts = new Map<number, number>()

  constructor(port: number, target: FaultProxyOptions['target']) {
    super(port, target, () => new KafkaDialect())
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

  cutRequest(apiKey: number, bytes: number, options?: FaultOptions): Fault {
    return this.#add('request', apiKey, { kind: 'cut', bytes }, options)
  }

  dropResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'drop' }, options)
  }

  closeOnResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'close' }, options)
  }

  resetOnResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'reset' }, options)
  }

  silenceOnResponse(apiKey: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'silence' }, options)
  }

  delayResponse(apiKey: number, delayMs: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'delay', delayMs }, options)
  }

  cutResponse(apiKey: number, bytes: number, options?: FaultOptions): Fault {
    return this.#add('response', apiKey, { kind: 'cut', bytes }, options)
  }

  failResponse(apiKey: number, errorCode: number, options?: FaultOptions): Fault {
    if (!isErrorCodeKnown(apiKey))
      throw new RangeError(`responses of API key ${apiKey} cannot be failed; the proxy does not know their error codes`)
    const act = (request: KafkaRequest, bytes: Buffer): FaultAction | undefined => {
      if (request.apiKey !== apiKey) return undefined
      const failed = errorCodeWritten(bytes, request, errorCode)
      return failed && { kind: 'replace', bytes: failed }
    }
    return this.add('response', act, options)
  }

  protected override passing(direction: Direction, { apiKey }: KafkaRequest): void {
    if (direction === 'request') this.#requestCounts.set(apiKey, this.requestCount(apiKey) + 1)
  }

  #add(direction: Direction, apiKey: number, action: FaultAction, options?: FaultOptions): Fault {
    return this.add(direction, (request) => (request.apiKey === apiKey ? action : undefined), options)
  }
}
