import type { Clock, Timer } from '../core/clock.ts'
import { BrokerUnavailableError } from '../core/errors.ts'

export interface BrokerWatchOptions {
  readonly clock: Clock
  /** Without an answer for this long the broker counts as unavailable. Milliseconds. */
  readonly silenceMs: number
  /** After this long without one it is not expected any more. Milliseconds. */
  readonly giveUpMs: number
  /** How much longer than usual the next answer may take just now; `Infinity` when none is expected. Milliseconds. */
  graceMs(): number
  silent(error: Error): void
  /** It answered after all. */
  back(): void
  givenUp(error: Error): void
}

/** A client repeats without a word while its broker is away, sometimes for good. When it was last answered tells. */
export class BrokerWatch {
  readonly #options: BrokerWatchOptions
  #answeredAt = 0
  #isSilent = false
  /** How far the time of day is ahead of the time that only grows. */
  #ahead = 0
  #timer: Timer | undefined

  constructor(options: BrokerWatchOptions) {
    this.#options = options
  }

  /** Begins, or begins anew. */
  start(): void {
    this.#isSilent = false
    this.#answeredAt = this.#options.clock.monotonic()
    this.#ahead = this.#aheadNow()
    this.#next()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  answered(): void {
    this.#answeredAt = this.#options.clock.monotonic()
    if (!this.#isSilent) return
    this.#isSilent = false
    this.#options.back()
  }

  #next(): void {
    this.stop()
    this.#timer = this.#options.clock.after(Math.min(1000, this.#options.silenceMs), () => this.#look())
  }

  #look(): void {
    const { clock, silenceMs, giveUpMs, graceMs, silent, givenUp } = this.#options
    const ahead = this.#aheadNow()
    if (ahead < this.#ahead - silenceMs) {
      givenUp(new BrokerUnavailableError(`the computer's clock was set back by ${Math.round(this.#ahead - ahead)} ms`))
      return
    }
    this.#ahead = ahead
    const grace = graceMs()
    // While batches run nothing is asked but heartbeats, and what comes after them is a new silence.
    if (grace === Number.POSITIVE_INFINITY) this.#answeredAt = clock.monotonic()
    const silentMs = clock.monotonic() - this.#answeredAt
    const error = () => new BrokerUnavailableError(`the broker has not answered for ${Math.round(silentMs)} ms`)
    if (silentMs > giveUpMs + grace) {
      givenUp(error())
      return
    }
    if (silentMs > silenceMs + grace && !this.#isSilent) {
      this.#isSilent = true
      silent(error())
    }
    this.#next()
  }

  /** A client that goes by the time of day sends no heartbeats until the old time has come again. */
  #aheadNow(): number {
    const { clock } = this.#options
    return clock.now() - clock.monotonic()
  }
}
