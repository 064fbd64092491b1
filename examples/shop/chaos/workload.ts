import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { mixedOrder } from '../load/order-mix.ts'
import type { Dice } from './dice.ts'
import type { History, Outcome, Wish } from './history.ts'

export interface WorkloadOptions {
  readonly gatewayUrl: string
  readonly cartsUrl: string
  readonly history: History
  /** Decides which clients give up; what they order follows from the order of their coming. */
  readonly dice: Dice
  readonly ordersPerSecond: number
  /** Clients that fill a cart each, one piece after the other. */
  readonly carts: number
}

/** Longest wait for one answer. Milliseconds. */
const answerMs = 6000
const retryMs = 200
/** Between two pieces of one cart. Milliseconds. */
const pieceEveryMs = 250
/** The share of clients that give up. */
const impatientShare = 0.2

/**
 * Clients of the shop. Some ask again under the same key until they have an answer, some give up when an answer is lost:
 * then nobody but the databases knows whether there is an order, and there may be one or none, never two.
 */
export class Workload {
  readonly #options: WorkloadOptions
  readonly #ending = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #flows = false
  #ops = 0
  #orders = 0
  #open = 0
  #done = 0
  #rate: number

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#rate = options.ordersPerSecond
    // Every client listens to it.
    setMaxListeners(0, this.#ending.signal)
    this.#track(this.#placeOrders())
    for (let cart = 1; cart <= options.carts; cart++) this.#track(this.#fillCart(`cart-${cart}`))
  }

  /** Wishes without an end. */
  get open(): number {
    return this.#open
  }

  /** Wishes that came to an end. */
  get done(): number {
    return this.#done
  }

  flow(): void {
    this.#flows = true
  }

  /** No new wishes; what was begun goes on. */
  pause(): void {
    this.#flows = false
  }

  /** Ends all clients; wishes without an end stay unknown. */
  async close(): Promise<void> {
    this.#flows = false
    this.#ending.abort()
    await Promise.all(this.#running)
  }

  async #placeOrders(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (this.#flows) this.#track(this.#placeOrder(this.#orders++))
      await this.#pause(1000 / this.#rate)
    }
  }

  async #placeOrder(index: number): Promise<void> {
    const { gatewayUrl, dice } = this.#options
    const own = dice.fork(`order-${index}`)
    // Safe: the mix has a customer in every order.
    const body = mixedOrder(index).body as { readonly customerId: string }
    const idempotencyKey = `chaos-${index}-${own.whole(0, 1e9)}`
    const patient = !own.chance(impatientShare)
    await this.#wish({ wish: 'order', customerId: body.customerId, idempotencyKey, index }, patient, async () => {
      const answer = await fetch(`${gatewayUrl}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(answerMs),
      })
      const text = await answer.text()
      if (answer.status !== 202) throw new Error(`answered ${answer.status}`)
      // Safe as far as a checker goes: an id that is none is not found in the database.
      return (JSON.parse(text) as { orderId: string }).orderId
    })
  }

  async #fillCart(cartId: string): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (this.#flows)
        await this.#wish({ wish: 'piece', cartId }, false, async () => {
          const answer = await fetch(`${this.#options.cartsUrl}/carts/${cartId}/pieces`, {
            method: 'POST',
            signal: AbortSignal.timeout(answerMs),
          })
          const text = await answer.text()
          if (answer.status !== 200) throw new Error(`answered ${answer.status}`)
          // Safe: as above.
          return (JSON.parse(text) as { pieces: number }).pieces
        })
      await this.#pause(pieceEveryMs)
    }
  }

  async #wish(wish: Wish, patient: boolean, ask: () => Promise<string | number>): Promise<void> {
    const { history } = this.#options
    const op = ++this.#ops
    history.note({ kind: 'begun', op, ...wish })
    this.#open++
    let outcome: Outcome = 'fail'
    let answer: string | number | undefined
    let attempts = 0
    try {
      while (!this.#ending.signal.aborted) {
        attempts++
        try {
          answer = await ask()
          outcome = 'ok'
          return
        } catch (error) {
          if (!isRefusedConnection(error)) outcome = 'info'
          if (!patient) return
        }
        await this.#pause(retryMs)
      }
    } finally {
      this.#open--
      this.#done++
      history.note({ kind: 'ended', op, outcome, attempts, ...(answer !== undefined && { answer }) })
    }
  }

  #track(work: Promise<void>): void {
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#ending.signal }).catch(() => {})
  }
}

/** Nobody listened, so nothing can have happened. */
function isRefusedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}
