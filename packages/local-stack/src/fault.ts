import type { KafkaRequest } from './kafka-frame.ts'

/** Which requests or responses a fault is for. */
export interface FaultOptions {
  /** How many it strikes before it is used up; `Infinity` for all. @default 1 */
  readonly times?: number
  /** Strikes only where this says so of the request. @default all requests of the API key */
  readonly match?: (request: KafkaRequest) => boolean
}

/** One fault that was set up at a proxy: how often it struck, so that a test can tell that it tested something. */
export interface Fault {
  readonly fired: number
  /** Resolves when the fault has struck this often. @default 1 */
  whenFired(times?: number): Promise<void>
  /** Lets everything pass from now on. */
  remove(): void
}

export type FaultPoint = 'request' | 'response'

/** What happens to a frame: it vanishes, takes the connection with it, or comes late. */
export type FaultAction =
  | { readonly kind: 'drop' }
  | { readonly kind: 'close' }
  | { readonly kind: 'delay'; readonly delayMs: number }

/** A fault with what the proxy needs to decide about it. */
export class FaultRule implements Fault {
  readonly action: FaultAction
  readonly #point: FaultPoint
  readonly #apiKey: number
  readonly #match: (request: KafkaRequest) => boolean
  #left: number
  #fired = 0
  #waiting: { readonly times: number; readonly resolve: () => void }[] = []

  constructor(point: FaultPoint, apiKey: number, action: FaultAction, options: FaultOptions = {}) {
    this.action = action
    this.#point = point
    this.#apiKey = apiKey
    this.#match = options.match ?? (() => true)
    this.#left = options.times ?? 1
  }

  get fired(): number {
    return this.#fired
  }

  /** Whether it is for this frame and not used up; does not use it up. */
  covers(point: FaultPoint, request: KafkaRequest): boolean {
    return this.#left > 0 && point === this.#point && request.apiKey === this.#apiKey && this.#match(request)
  }

  /** Counts one strike. */
  strike(): void {
    this.#left--
    this.#fired++
    this.#waiting = this.#waiting.filter(({ times, resolve }) => {
      if (this.#fired < times) return true
      resolve()
      return false
    })
  }

  whenFired(times = 1): Promise<void> {
    if (this.#fired >= times) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ times, resolve }))
  }

  remove(): void {
    this.#left = 0
  }
}
