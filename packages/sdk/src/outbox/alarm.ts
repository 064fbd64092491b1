import type { Clock } from '../core/clock.ts'

/** Something to sleep on that others can end: a call that comes while nobody sleeps ends the next sleep at once. */
export class Alarm {
  readonly #clock: Clock
  #rung = false
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** Resolves after `ms` milliseconds or when rung; tells whether it was rung. */
  async sleep(ms: number): Promise<boolean> {
    if (!this.#rung)
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(ms, resolve)
        this.#wake = () => {
          timer.cancel()
          resolve()
        }
      })
    this.#wake = undefined
    const rung = this.#rung
    this.#rung = false
    return rung
  }
}
