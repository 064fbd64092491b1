import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '@evtkit/sdk'
import { type PlacedOrder, placeOrders } from '../../load/place-orders.ts'
import type { Fetch } from '../../platform/fetch.ts'

/** Orders of one round. Each begins the mix anew. */
const roundSize = 24

export interface OrderStreamOptions {
  readonly gateway: Fetch
  readonly ratePerSecond: number
  /** @default the one of the computer */
  readonly clock?: Clock
}

/** Rounds of mixed orders, one after the other until it is told to stop; every order that was begun is accepted in the end. */
export class OrderStream {
  readonly #placed: PlacedOrder[] = []
  readonly #flow: Promise<void>
  readonly #givenUp = new AbortController()
  #stopped = false
  #open = 0
  #begun = 0
  #retries = 0

  constructor({ gateway, ratePerSecond, clock = systemClock }: OrderStreamOptions) {
    const counted: Fetch = async (path, request) => {
      this.#open++
      try {
        return await gateway(path, request)
      } finally {
        this.#open--
      }
    }
    // Each request under way listens to it.
    setMaxListeners(0, this.#givenUp.signal)
    this.#flow = this.#run({
      gateway: counted,
      count: roundSize,
      ratePerSecond,
      clock,
      signal: this.#givenUp.signal,
      onPlaced: (order) => this.#placed.push(order),
      onRetry: () => this.#retries++,
    })
    // Whoever stops the stream hears of its failure; until then it is nobody's unhandled one.
    this.#flow.catch(() => {})
  }

  /** The accepted orders. */
  get placed(): readonly PlacedOrder[] {
    return this.#placed
  }

  /** Orders that were begun. */
  get begun(): number {
    return this.#begun
  }

  /** Requests that have no answer yet. */
  get open(): number {
    return this.#open
  }

  /** Requests that failed and were made again. */
  get retries(): number {
    return this.#retries
  }

  /**
   * Resolves when the last round is accepted.
   *
   * @throws Error when the gateway refused an order for good.
   */
  stop(): Promise<void> {
    this.#stopped = true
    return this.#flow
  }

  /** Waits for nothing more: orders that were begun may stay without an answer. */
  async giveUp(): Promise<void> {
    this.#stopped = true
    this.#givenUp.abort()
    await this.#flow.catch(() => {})
  }

  async #run(round: Parameters<typeof placeOrders>[0]): Promise<void> {
    while (!this.#stopped) {
      this.#begun += roundSize
      await placeOrders(round)
    }
  }
}
