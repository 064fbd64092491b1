import { setTimeout as sleep } from 'node:timers/promises'

const RETRY_MS = 100
const ANSWER_TIMEOUT_MS = 5_000

export interface OrderStreamOptions {
  /** Base URL of the gateway. */
  readonly url: string
  readonly ratePerSecond: number
  /** The body of the order with this number, from 0 up. */
  readonly order: (number: number) => unknown
}

/**
 * Orders that flow at a steady rate, each sent again under its Idempotency-Key until it is accepted, as a client of a
 * shop that has bad days would.
 */
export class OrderStream {
  readonly #options: OrderStreamOptions
  readonly #stopped = new AbortController()
  readonly #accepted = new Map<number, string>()
  readonly #requests = new Set<Promise<void>>()
  readonly #flow: Promise<void>
  #placed = 0
  #retries = 0
  #failure: unknown

  constructor(options: OrderStreamOptions) {
    this.#options = options
    this.#flow = this.#run()
  }

  /** Orders sent so far, accepted or not. */
  get placed(): number {
    return this.#placed
  }

  /** Orders whose acceptance is being waited for now. */
  get open(): number {
    return this.#requests.size
  }

  /** Attempts that were not answered with an acceptance. */
  get retries(): number {
    return this.#retries
  }

  /** The id of each accepted order, by its number. */
  get accepted(): ReadonlyMap<number, string> {
    return this.#accepted
  }

  /** Sends no further orders, and resolves when all that were sent are accepted. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#flow
    await Promise.all(this.#requests)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #run(): Promise<void> {
    const begin = performance.now()
    const gapMs = 1000 / this.#options.ratePerSecond
    while (!this.#stopped.signal.aborted) {
      const request = this.#place(this.#placed++)
        .catch((error: unknown) => {
          this.#failure ??= error
        })
        .finally(() => this.#requests.delete(request))
      this.#requests.add(request)
      // Against the clock and not from order to order, so that a busy computer does not thin the stream out.
      const waitMs = begin + this.#placed * gapMs - performance.now()
      await sleep(Math.max(0, waitMs), undefined, { signal: this.#stopped.signal }).catch(() => {})
    }
  }

  async #place(number: number): Promise<void> {
    const body = JSON.stringify(this.#options.order(number))
    for (;;) {
      const answer = await this.#attempt(body, `trial-${number}`)
      if (answer?.status === 202) {
        this.#accepted.set(number, answer.orderId)
        return
      }
      // A refusal of the shop, which no second attempt can mend, is a mistake of the trial.
      if (answer !== undefined && answer.status < 500) throw new Error(`order ${number} was refused: ${answer.text}`)
      this.#retries++
      await sleep(RETRY_MS)
    }
  }

  async #attempt(body: string, key: string) {
    try {
      const response = await fetch(`${this.#options.url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      })
      const text = await response.text()
      if (response.status !== 202) return { status: response.status, text, orderId: '' }
      const accepted: unknown = JSON.parse(text)
      if (typeof accepted !== 'object' || accepted === null || !('orderId' in accepted)) return undefined
      return { status: 202, text, orderId: String(accepted.orderId) }
    } catch {
      // Refused, cut off or silent: the gateway is gone or going.
      return undefined
    }
  }
}
