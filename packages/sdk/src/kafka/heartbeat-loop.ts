import type { Clock, Timer } from '../core/clock.ts'
import { HandlerDeadlineError } from '../core/errors.ts'
import type { RunningBatch } from './running-batch.ts'

export interface HeartbeatLoopOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** How long a batch may go without progress before this member no longer vouches for it. Milliseconds. */
  readonly stallMs: number
  readonly running: Iterable<RunningBatch> & { readonly size: number }
  /** A heartbeat was accepted. */
  alive(): void
  /** A heartbeat was rejected. */
  revoked(error: Error): void
  /** A batch shows no progress; the loop has stopped. */
  stalled(error: Error): void
}

/**
 * Signs of life while batches run, because the client sends none of its own then. Bounded by progress: without the bound
 * a handler that hangs would keep its partitions for ever.
 */
export class HeartbeatLoop {
  readonly #options: HeartbeatLoopOptions
  #timer: Timer | undefined
  #beating = false
  #stopped = false

  constructor(options: HeartbeatLoopOptions) {
    this.#options = options
  }

  /** Goes on by itself as long as anything runs. */
  start(): void {
    if (this.#stopped || this.#beating || this.#timer !== undefined || this.#options.running.size === 0) return
    const { clock, intervalMs } = this.#options
    this.#timer = clock.after(intervalMs, () => {
      this.#timer = undefined
      void this.#beat()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async #beat(): Promise<void> {
    const { clock, stallMs, running, alive, revoked, stalled } = this.#options
    const now = clock.monotonic()
    let any: RunningBatch | undefined
    for (const run of running) {
      if (now - run.progressAt > stallMs) {
        this.stop()
        stalled(
          new HandlerDeadlineError(
            `${run.topic}/${run.partition} made no progress for ${Math.round(now - run.progressAt)} ms (limit ${stallMs}); this member no longer vouches for it`,
          ),
        )
        return
      }
      any = run
    }
    if (any === undefined) return
    this.#beating = true
    try {
      await any.fetched.heartbeat()
      alive()
    } catch (error) {
      revoked(error instanceof Error ? error : new Error(String(error)))
    }
    this.#beating = false
    this.start()
  }
}
