import type { Clock, Logger, Timer } from '@evtkit/sdk'

export interface PendingWatchOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly everyMs: number
  /** Looks after what is pending. Given up when the signal is aborted. */
  readonly check: (signal: AbortSignal) => Promise<void>
}

/** Asks the provider now and then about charges it left open: a callback that was lost must not leave an order hanging. */
export class PendingWatch {
  readonly #options: PendingWatchOptions
  readonly #stop = new AbortController()
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: PendingWatchOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, everyMs } = this.#options
    if (this.#stop.signal.aborted) return
    this.#timer = clock.after(everyMs, () => {
      this.#running = this.#run()
    })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#timer?.cancel()
    await this.#running
  }

  async #run(): Promise<void> {
    const { check, logger } = this.#options
    try {
      await check(this.#stop.signal)
    } catch (error) {
      if (!this.#stop.signal.aborted) logger.warn({ error }, 'could not look after pending charges; it is tried again')
    }
    this.start()
  }
}
