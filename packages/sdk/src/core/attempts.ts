import type { Clock } from './clock.ts'
import type { DeliveryContext } from './context.ts'
import { DeadlineWatch } from './deadline.ts'
import { HandlerDeadlineError } from './errors.ts'
import type { Logger } from './logger.ts'

export interface AttemptsOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly deadlineMs: number
}

/** Told how an attempt ended: without an argument when it succeeded. */
export type AttemptEnd = (failed?: { readonly thrown: unknown }) => void

/** What to do about a call that goes on after it was given up. */
export interface Abandoned {
  /** It was given up just now. */
  begins(): void
  /** It has returned at last, or is past hope. */
  ends(): void
  /** Whether a call that has not returned after a second deadline is past hope; otherwise it is waited for. */
  readonly isLost: boolean
}

/** Attempts at handling that are under way, each within its deadline. */
export class Attempts {
  readonly #options: AttemptsOptions
  readonly #deadlines: DeadlineWatch

  constructor(options: AttemptsOptions) {
    this.#options = options
    this.#deadlines = new DeadlineWatch(options.clock, options.deadlineMs)
  }

  /** Gives up all that still runs; tells how much that was. */
  giveUp(): number {
    return this.#deadlines.expireAll()
  }

  close(): void {
    this.#deadlines.close()
  }

  watch(context: DeliveryContext, work: Promise<void>, end: AttemptEnd, abandoned?: Abandoned): void {
    // The record has been given back by then: what the work says later is about an attempt that no longer counts.
    let expired = false
    const watched = this.#deadlines.watch(() => {
      expired = true
      const error = new HandlerDeadlineError(
        `the handler of ${placeOf(context)} did not finish in time (deadline ${this.#options.deadlineMs} ms, or the consumer's close); its signal was aborted, and the record waits until that call has returned`,
      )
      if (abandoned !== undefined) this.#awaitReturn(context, work, abandoned)
      context.abort(error)
      end({ thrown: error })
    })
    work.then(
      () => {
        if (expired) return
        this.#deadlines.release(watched)
        end()
      },
      (thrown: unknown) => {
        if (expired) return
        this.#deadlines.release(watched)
        end({ thrown })
      },
    )
  }

  /** Says again and again that a handler ignores its signal: nothing else would tell that its record cannot be tried again. */
  #awaitReturn(context: DeliveryContext, work: Promise<void>, abandoned: Abandoned): void {
    abandoned.begins()
    let over = false
    const finish = () => {
      if (over) return
      over = true
      this.#deadlines.release(watched)
      abandoned.ends()
    }
    const alarm = () => {
      const { deadlineMs, logger } = this.#options
      logger.error(
        { place: placeOf(context) },
        `a handler ignores its signal: ${deadlineMs} ms after it was aborted the call has not returned; ${abandoned.isLost ? 'it counts as lost, and the event is tried again beside it' : 'the record waits for it'}`,
      )
      if (abandoned.isLost) finish()
      else watched = this.#deadlines.watch(alarm)
    }
    let watched = this.#deadlines.watch(alarm)
    work.then(finish, finish)
  }
}

function placeOf({ delivery: { message, partition, offset } }: DeliveryContext): string {
  return `${message.topic}/${partition}@${offset}`
}
