import { type Backoff, backoffMs } from '../core/backoff.ts'

/** Keys whose oldest row was not taken: left alone for a while, longer each time. */
export class HeldKeys {
  readonly #held = new Map<number, { readonly until: number; readonly attempts: number; readonly reason: string }>()
  readonly #backoff: Backoff
  readonly #random: () => number

  constructor(backoff: Backoff, random: () => number) {
    this.#backoff = backoff
    this.#random = random
  }

  hold(key: number, now: number, reason: string): void {
    const attempts = (this.#held.get(key)?.attempts ?? 0) + 1
    this.#held.set(key, { until: now + backoffMs(attempts, this.#random, this.#backoff), attempts, reason })
  }

  /** A row of the key was taken. */
  release(key: number): void {
    this.#held.delete(key)
  }

  clear(): void {
    this.#held.clear()
  }

  get size(): number {
    return this.#held.size
  }

  /** Keys that are not due yet. */
  waiting(now: number): number[] {
    const keys: number[] = []
    for (const [key, { until }] of this.#held) if (until > now) keys.push(key)
    return keys
  }

  /** Why the first of them waits. */
  get reason(): string {
    return this.#held.values().next().value?.reason ?? ''
  }
}
