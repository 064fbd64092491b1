import type { Clock, Logger, Timer } from '@evtkit/sdk'
import type { Colors } from 'picocolors/types.js'
import { z } from 'zod'
import type { ShopFact } from '../load/fact-log.ts'
import type { PlacedOrder } from '../load/place-orders.ts'
import { FactQueue } from './fact-queue.ts'
import { Timeline } from './timeline.ts'

export interface ShowOptions {
  readonly colors: Colors
  readonly orders: number
  readonly clock: Clock
  readonly print: (line: string) => void
}

/** Up to this many orders, every event has its line; of more, a sample has. */
export const shownInFull = 24
const sampled = 8
/** How long a fact is held back so that lines come in order. Milliseconds. */
const holdMs = 250
const flushMs = 50
/** What a consumer logs about an event that it will handle again. */
const Retry = z.object({ group: z.string(), retryInMs: z.number(), error: z.instanceof(Error) })
const ends = new Set(['OrderShipped', 'OrderCancelled'])

/** What the demo shows while orders run: every event of a few orders, and how far all of them are. */
export class Show {
  readonly #options: ShowOptions
  readonly #timeline: Timeline
  readonly #labels = new Map<string, string>()
  readonly #queue = new FactQueue(holdMs)
  #timer: Timer | undefined
  #ended = 0
  #retries = 0

  constructor(options: ShowOptions) {
    this.#options = options
    this.#timeline = new Timeline(options.colors)
  }

  /** A logger for the services: what they do again is part of the show, everything else that needs eyes goes to standard error. */
  readonly logger: Logger = {
    debug() {},
    info() {},
    warn: (fields, message) => this.#warn(fields, message),
    error: (fields, message) => console.error(message, fields),
  }

  begin(): void {
    const { orders, print, colors } = this.#options
    if (!this.#inFull) print(colors.dim(`showing the first ${sampled} of ${orders} orders`))
    print(this.#timeline.heading())
    this.#flushLater()
  }

  placed({ orderId, index }: PlacedOrder): void {
    if (!this.#inFull && index >= sampled) return
    this.#labels.set(orderId, `#${index + 1}`)
  }

  fact(fact: ShopFact): void {
    this.#queue.add(fact)
    if (ends.has(fact.eventType)) this.#progress()
  }

  /** Shows what is still held back. */
  end(): void {
    this.#timer?.cancel()
    for (const fact of [...this.#queue.take(Number.POSITIVE_INFINITY), ...this.#queue.drain()]) this.#show(fact)
  }

  get #inFull(): boolean {
    return this.#options.orders <= shownInFull
  }

  #flushLater(): void {
    const { clock } = this.#options
    this.#timer = clock.after(flushMs, () => {
      for (const fact of this.#queue.take(clock.now())) this.#show(fact)
      this.#flushLater()
    })
  }

  #show(fact: ShopFact): void {
    const label = this.#labels.get(fact.data.orderId)
    if (label !== undefined) this.#options.print(this.#timeline.line(fact, label))
  }

  /** A line for every tenth of the orders that has ended. */
  #progress(): void {
    this.#ended++
    const { orders, print, colors } = this.#options
    if (this.#inFull || Math.floor((this.#ended * 10) / orders) === Math.floor(((this.#ended - 1) * 10) / orders))
      return
    const retries = this.#retries === 0 ? '' : `, ${this.#retries} calls tried again`
    print(colors.bold(`${String(this.#ended).padStart(8)} of ${orders} orders ended`) + colors.dim(retries))
  }

  #warn(fields: object, message: string): void {
    const retry = Retry.safeParse(fields)
    if (!retry.success) {
      console.error(message, fields)
      return
    }
    const { group, retryInMs, error } = retry.data
    this.#retries++
    // A group is named for its service, which says its own name in the singular.
    if (this.#inFull)
      this.#options.print(this.#timeline.note(group.replace(/s$/, ''), `${error.message}; again in ${retryInMs} ms`))
  }
}
