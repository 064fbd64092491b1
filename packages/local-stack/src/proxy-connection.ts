import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultAction, FaultPoint } from './fault.ts'
import { type KafkaFrame, KafkaFrameReader, type KafkaRequest, readCorrelationId, readRequest } from './kafka-frame.ts'

/** What a connection asks its proxy. */
export interface ProxyRules {
  /** What is to happen to this frame; undefined lets it pass. */
  decide(point: FaultPoint, request: KafkaRequest): FaultAction | undefined
  /** Resolves when frames may pass; at once unless the proxy is a black hole. */
  passable(): Promise<void>
  /** Ends all waiting when the proxy closes. */
  readonly signal: AbortSignal
}

/** One client's connection through the proxy and the proxy's own to the broker. */
export class ProxyConnection {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #rules: ProxyRules
  /** Requests that wait for their response, by correlation id. */
  readonly #requests = new Map<number, KafkaRequest>()
  readonly closed: Promise<void>

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, rules: ProxyRules) {
    this.#client = client
    this.#broker = connect(target)
    this.#rules = rules
    client.setNoDelay(true)
    this.#broker.setNoDelay(true)
    const clientDone = this.#forward('request', client, this.#broker)
    const brokerDone = this.#forward('response', this.#broker, client)
    this.closed = Promise.all([clientDone, brokerDone]).then(() => undefined)
  }

  /** Ends both sides at once, as when a cable is cut. */
  destroy(): void {
    this.#client.destroy()
    this.#broker.destroy()
  }

  /** Resolves when the side has ended and all that it sent before has been dealt with. */
  #forward(point: FaultPoint, from: Socket, to: Socket): Promise<void> {
    const frames = new KafkaFrameReader()
    // One after the other, so that a frame that is late holds up those behind it, as in TCP.
    let dealtWith = Promise.resolve()
    return new Promise((resolve) => {
      from.on('data', (chunk: Buffer) => {
        for (const frame of frames.push(chunk)) dealtWith = dealtWith.then(() => this.#deal(point, frame, from, to))
      })
      // Reported by `close` as well, which is all that matters here.
      from.on('error', () => {})
      from.on('close', () => {
        // What a client sent before it left still reaches the broker, late requests included.
        void dealtWith.then(() => {
          to.destroySoon()
          resolve()
        })
      })
    })
  }

  async #deal(point: FaultPoint, frame: KafkaFrame, from: Socket, to: Socket): Promise<void> {
    const request = point === 'request' ? this.#remember(frame) : this.#recall(frame)
    const action = request && this.#rules.decide(point, request)
    if (action?.kind === 'delay') {
      await sleep(action.delayMs, undefined, { signal: this.#rules.signal }).catch(() => {})
    }
    await this.#rules.passable()
    if (action?.kind === 'drop') return
    if (action?.kind === 'close') return this.destroy()
    if (to.destroyed || this.#rules.signal.aborted) return
    if (!to.write(frame)) {
      from.pause()
      to.once('drain', () => from.resume())
      to.once('close', () => from.resume())
    }
  }

  #remember(frame: KafkaFrame): KafkaRequest {
    const request = readRequest(frame)
    this.#requests.set(request.correlationId, request)
    return request
  }

  #recall(frame: KafkaFrame): KafkaRequest | undefined {
    const correlationId = readCorrelationId(frame)
    const request = this.#requests.get(correlationId)
    this.#requests.delete(correlationId)
    return request
  }
}
