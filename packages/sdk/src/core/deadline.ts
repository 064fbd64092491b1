import type { Clock, Timer } from './clock.ts'

/** Something under way that must end in time. */
export interface Watched {
  readonly startedAt: number
  readonly expire: () => void
}

/**
 * Calls back for whatever takes longer than a limit. One timer serves all, so watching costs a set insertion;
 * an expiry is noticed at most a tenth of the limit late.
 */
export class DeadlineWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #watched = new Set<Watched>()
  #timer: Timer | undefined

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  watch(expire: () => void): Watched {
    const entry: Watched = { startedAt: this.#clock.monotonic(), expire }
    this.#watched.add(entry)
    this.#timer ??= this.#arm()
    return entry
  }

  release(entry: Watched): void {
    this.#watched.delete(entry)
  }

  /** Expires everything now; tells how many that were. */
  expireAll(): number {
    const entries = [...this.#watched]
    for (const entry of entries) this.#expire(entry)
    return entries.length
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): Timer {
    return this.#clock.after(Math.max(1, this.#limitMs / 10), () => {
      this.#timer = undefined
      const now = this.#clock.monotonic()
      // Insertion order is start order, so the first that is still in time ends the search.
      for (const entry of [...this.#watched]) {
        if (now - entry.startedAt < this.#limitMs) break
        this.#expire(entry)
      }
      // What expired may have begun to watch something, and armed it already.
      if (this.#watched.size > 0) this.#timer ??= this.#arm()
    })
  }

  #expire(entry: Watched): void {
    this.#watched.delete(entry)
    entry.expire()
  }
}
