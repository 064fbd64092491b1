import { type Backoff, backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { type Context, DeliveryContext } from './context.ts'
import { DeadlineWatch } from './deadline.ts'
import { HandlerDeadlineError, isRejection, type RejectedRecordError } from './errors.ts'
import type { LaneOutcome } from './lanes.ts'
import type { Logger } from './logger.ts'
import type { Delivery } from './message.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { RejectHandler } from './rejection.ts'

export interface HandOverOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly deadlineMs: number
  readonly rejected: RejectHandler
  readonly retry: Backoff
  readonly random: () => number
}

type Pipeline = (context: Context) => void | Promise<void>

/** Hands deliveries over, each within its deadline, and decides what a failure means: set aside, or later again. */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #deadlines: DeadlineWatch

  constructor(options: HandOverOptions) {
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

  /** Tells whether the delivery is finished; never throws or rejects. Returns at once when the handler does. */
  run(pipeline: Pipeline, delivery: Delivery, progress: PartitionProgress): LaneOutcome | Promise<LaneOutcome> {
    const context = new DeliveryContext(delivery)
    let result: void | Promise<void>
    try {
      result = pipeline(context)
    } catch (error) {
      return this.#failed(context, progress, error)
    }
    // A handler may return any thenable, a query builder for one; only `undefined` means it has finished.
    if (result === undefined) return 'finished'
    const { offset } = delivery
    const work = Promise.resolve(result)
    return this.#inTime(context, progress, work, () => {
      // Should it ignore its signal, the record must not run a second time beside it.
      progress.abandoned(offset)
      const returned = () => progress.returned(offset)
      work.then(returned, returned)
    })
  }

  #inTime(
    context: DeliveryContext,
    progress: PartitionProgress,
    work: Promise<void>,
    abandon: () => void,
  ): Promise<LaneOutcome> {
    return new Promise((resolve) => {
      // The record has been given back by then: what the work says later is about an attempt that no longer counts.
      let expired = false
      const watched = this.#deadlines.watch(() => {
        expired = true
        const { message, partition, offset } = context.delivery
        const error = new HandlerDeadlineError(
          `the handler of ${message.topic}/${partition}@${offset} did not finish in time (deadline ${this.#options.deadlineMs} ms, or the consumer's close); its signal was aborted, and the record waits until that call has returned`,
        )
        abandon()
        context.abort(error)
        resolve(this.#failed(context, progress, error))
      })
      work.then(
        () => {
          if (expired) return
          this.#deadlines.release(watched)
          resolve('finished')
        },
        (error: unknown) => {
          if (expired) return
          this.#deadlines.release(watched)
          resolve(this.#failed(context, progress, error))
        },
      )
    })
  }

  #failed(context: DeliveryContext, progress: PartitionProgress, thrown: unknown): LaneOutcome | Promise<LaneOutcome> {
    // Storing a rejection has the same deadline as a handler; should it fail, that is an error like any other. It has no
    // signal and may be repeated, so one that hangs is not waited for.
    if (isRejection(thrown)) return this.#inTime(context, progress, this.#reject(context.delivery, thrown), () => {})
    this.#retryLater(context.delivery, progress, thrown)
    return 'held'
  }

  async #reject(delivery: Delivery, error: RejectedRecordError): Promise<void> {
    try {
      await this.#options.rejected({ delivery, error })
    } catch (cause) {
      throw new Error(`the rejected record could not be set aside: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
    this.#options.logger.warn(
      { ...place(delivery), code: error.code, reason: error.message },
      'record rejected and set aside',
    )
  }

  #retryLater(delivery: Delivery, progress: PartitionProgress, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const waitMs = backoffMs(delivery.attempt, this.#options.random, this.#options.retry)
    progress.failed(delivery.offset, error, this.#options.clock.monotonic() + waitMs)
    this.#options.logger.warn(
      // The stack once is enough; a record that fails for hours would fill the log with it.
      { ...place(delivery), attempt: delivery.attempt, retryInMs: waitMs, ...(delivery.attempt === 1 && { error }) },
      `handling failed: ${error.message}; it is tried again; its key waits, and other keys of the partition go on as far as one fetch from here reaches`,
    )
  }
}

function place({ message, partition, offset, group }: Delivery) {
  return { topic: message.topic, partition, offset, group }
}
