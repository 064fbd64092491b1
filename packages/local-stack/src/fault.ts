import type { KafkaRequest } from './kafka-frame.ts'
import type { ProxyLink } from './proxy-link.ts'

/** Which pieces of the traffic a fault is for; for a Kafka proxy, which requests or their responses. */
export interface FaultOptions<Subject = KafkaRequest> {
  /** How many it strikes before it is used up; `Infinity` for all. @default 1 */
  readonly times?: number
  /** Strikes only where this says so of the piece and the connection it is on. @default all that the fault names */
  readonly match?: (subject: Subject, link: ProxyLink) => boolean
}

/** One fault that was set up at a proxy: how often it struck, so that a test can tell that it tested something. */
export interface Fault {
  readonly fired: number
  /** Resolves when the fault has struck this often. @default 1 */
  whenFired(times?: number): Promise<void>
  /** Lets everything pass from now on. */
  remove(): void
}

/** Which way bytes go: from the client, or back to it. */
export type Direction = 'request' | 'response'

/** What happens to a piece of the traffic. */
export type FaultAction =
  | { readonly kind: 'drop' }
  /** Both sides see the connection end, in good order or by a reset. */
  | { readonly kind: 'close' | 'reset' }
  /** The connection stays and nothing passes it any more. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** So many bytes of it pass, then the connection ends. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** Another piece passes in its place. */
  | { readonly kind: 'replace'; readonly bytes: Buffer }

/** Counts the strikes of one fault. */
export class FaultCount implements Fault {
  #left: number
  #fired = 0
  #waiting: { readonly times: number; readonly resolve: () => void }[] = []

  constructor(times = 1) {
    this.#left = times
  }

  get fired(): number {
    return this.#fired
  }

  get isUsedUp(): boolean {
    return this.#left <= 0
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

/** What a fault does with a piece of this kind; undefined when it is not for it. */
type Act<Subject> = (subject: Subject, bytes: Buffer) => FaultAction | undefined

/** A fault with what the proxy needs to decide about it. */
export class FaultRule<Subject> extends FaultCount {
  readonly #direction: Direction
  readonly #act: Act<Subject>
  readonly #match: (subject: Subject, link: ProxyLink) => boolean

  constructor(direction: Direction, act: Act<Subject>, options: FaultOptions<Subject> = {}) {
    super(options.times)
    this.#direction = direction
    this.#act = act
    this.#match = options.match ?? (() => true)
  }

  /** What it does with this piece, if anything; does not use it up. */
  actionFor(direction: Direction, subject: Subject, bytes: Buffer, link: ProxyLink): FaultAction | undefined {
    if (this.isUsedUp || direction !== this.#direction) return undefined
    const action = this.#act(subject, bytes)
    return action !== undefined && this.#match(subject, link) ? action : undefined
  }
}
