import { backoffMs } from '../core/backoff.ts'
import { type Clock, pause } from '../core/clock.ts'
import {
  BrokerUnavailableError,
  type EvtError,
  isEvtError,
  RecordRefusedError,
  SendTimeoutError,
} from '../core/errors.ts'

export interface DeliveryTimeOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly endsAt: number
  /** What the caller was promised, for the message. Milliseconds. */
  readonly limitMs: number
  /** Ends the time early. */
  readonly signal: AbortSignal
}

/** Waits between attempts at a broker that does not answer. */
const attempts = { initialMs: 50, maxMs: 1000 }

/** The time in which one batch must be delivered, all attempts together. */
export class DeliveryTime {
  readonly #options: DeliveryTimeOptions
  /** Whether any request of this batch may have reached a broker. */
  #handedOver = false
  #lastReason: EvtError | undefined

  constructor(options: DeliveryTimeOptions) {
    this.#options = options
  }

  get isOver(): boolean {
    return this.#options.signal.aborted || this.#leftMs <= 0
  }

  /** From now on something may be written without our knowing it. */
  handedOver(): void {
    this.#handedOver = true
  }

  /** Why the batch was not delivered, when its time is up or was ended. */
  timedOut(): EvtError {
    const { limitMs, signal } = this.#options
    if (signal.aborted) return new SendTimeoutError('the transport was closed before the broker acknowledged')
    if (this.#handedOver)
      return new SendTimeoutError(`not acknowledged within ${limitMs} ms; it may be written all the same`)
    const reason = this.#lastReason?.message ?? 'the broker is not available: it does not answer'
    return new BrokerUnavailableError(`${reason}, tried for ${limitMs} ms; nothing was sent`, {
      cause: this.#lastReason,
    })
  }

  /** Waits for a step, no longer than there is time; tells why it did not succeed, if so. Does not reject. */
  run(step: () => Promise<unknown>): Promise<EvtError | undefined> {
    const { clock, signal } = this.#options
    return new Promise((resolve) => {
      const finish = (error: EvtError | undefined) => {
        timer.cancel()
        signal.removeEventListener('abort', ended)
        resolve(error)
      }
      const ended = () => finish(this.timedOut())
      const timer = clock.after(Math.max(0, this.#leftMs), () => finish(this.timedOut()))
      signal.addEventListener('abort', ended)
      if (signal.aborted) return ended()
      step().then(
        () => finish(undefined),
        (thrown: unknown) => {
          const error = meaningOf(thrown)
          if (error.retryable) this.#lastReason = error
          finish(error)
        },
      )
    })
  }

  /** Rests before the next attempt, longer each time. */
  pause(attempt: number): Promise<void> {
    const { clock, random, signal } = this.#options
    return pause(clock, Math.min(Math.max(0, this.#leftMs), backoffMs(attempt, random, attempts)), signal)
  }

  get #leftMs(): number {
    return this.#options.endsAt - this.#options.clock.monotonic()
  }
}

function meaningOf(error: unknown): EvtError {
  if (isEvtError(error)) return error
  // What a broker or a connection does wrong comes with an error of ours: these are mistakes, and no outage.
  if (error instanceof TypeError || error instanceof RangeError)
    return new RecordRefusedError(`a record cannot be sent: ${String(error)}`, { cause: error })
  return new BrokerUnavailableError(String(error), { cause: error })
}
