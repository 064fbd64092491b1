import type { Attempts } from './attempts.ts'
import { backoffMs } from './backoff.ts'
import type { Circuit } from './circuit.ts'
import type { Clock } from './clock.ts'
import { type Context, DeliveryContext } from './context.ts'
import type { RejectedRecordError } from './errors.ts'
import type { FailedEventsMember } from './failed-events.ts'
import { failedAttempt, failureOf } from './failure.ts'
import type { LaneOutcome } from './lanes.ts'
import type { Logger } from './logger.ts'
import type { Delivery } from './message.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { RejectHandler } from './rejection.ts'
import type { RetryPolicy } from './retry-policy.ts'

export interface HandOverOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly attempts: Attempts
  readonly circuit: Circuit
  readonly rejected: RejectHandler
  readonly retry: RetryPolicy
  readonly random: () => number
}

export type Pipeline = (context: Context) => void | Promise<void>

/** One delivery on its way. */
interface Passage {
  /** What its partition holds: progress is kept under its offset. */
  readonly delivery: Delivery
  /** What is handed over: the same, or the event that came back in it. */
  readonly event: Delivery
  readonly isReturned: boolean
  readonly progress: PartitionProgress
  /** It tries whether a part that was down is back. */
  readonly probes: boolean
  readonly context: DeliveryContext
}

/** Hands deliveries over, and decides what a failure means: set aside, taken over, or later again. */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #pipeline: Pipeline
  readonly #takesOver: FailedEventsMember | undefined

  constructor(options: HandOverOptions, pipeline: Pipeline, takesOver: FailedEventsMember | undefined) {
    this.#options = options
    this.#pipeline = pipeline
    this.#takesOver = takesOver
  }

  /** Tells whether the delivery is finished; never throws or rejects. Returns at once when the handler does. */
  run(delivery: Delivery, progress: PartitionProgress): LaneOutcome | Promise<LaneOutcome> {
    const { circuit } = this.#options
    const probes = circuit.outage !== undefined && circuit.tryProbe()
    if (circuit.outage !== undefined && !probes) return 'held'
    let event = delivery
    try {
      event = this.#takesOver?.returned?.(delivery)?.delivery ?? delivery
    } catch (error) {
      const context = new DeliveryContext(delivery)
      return this.#failed({ delivery, event, isReturned: true, progress, probes, context }, error)
    }
    const isReturned = event !== delivery
    const passage = { delivery, event, isReturned, progress, probes, context: new DeliveryContext(event) }
    return this.#takesOver?.isBehind(delivery) === true ? this.#follow(passage, this.#takesOver) : this.#handle(passage)
  }

  #handle(passage: Passage): LaneOutcome | Promise<LaneOutcome> {
    const { delivery, progress, context } = passage
    let result: void | Promise<void>
    try {
      result = this.#pipeline(context)
    } catch (error) {
      return this.#failed(passage, error)
    }
    // A handler may return any thenable, a query builder for one; only `undefined` means it has finished.
    if (result === undefined) return this.#finished(passage)
    const work = Promise.resolve(result)
    return new Promise((resolve) => {
      const abandoned = {
        // Should it ignore its signal, the record must not run a second time beside it.
        begins: () => progress.abandoned(delivery.offset),
        ends: () => progress.returned(delivery.offset),
        isLost: this.#takesOver !== undefined,
      }
      this.#options.attempts.watch(
        context,
        work,
        (failed) => resolve(failed === undefined ? this.#finished(passage) : this.#failed(passage, failed.thrown)),
        abandoned,
      )
    })
  }

  #finished({ probes }: Passage): LaneOutcome {
    if (probes) this.#options.circuit.recovered()
    return 'finished'
  }

  #failed(passage: Passage, thrown: unknown): LaneOutcome | Promise<LaneOutcome> {
    const { context, probes, delivery, event, isReturned, progress } = passage
    const { circuit, clock } = this.#options
    const policy = this.#policyOf(context)
    const failure = failureOf(thrown, policy)
    // A probe that hangs tells that the part still is not there.
    const outage = circuit.outage
    if (probes && outage !== undefined && failure.error.name === 'HandlerDeadlineError')
      return this.#outage(passage, outage.part, failure.error)
    if (failure.kind === 'outage') return this.#outage(passage, failure.part, failure.error)
    if (failure.kind === 'rejection') return this.#store(passage, () => this.#reject(event, failure.error))
    if (probes) circuit.recovered()
    if (failure.kind === 'setup') return this.#postpone(passage, failure.error)

    const waitMs = backoffMs(delivery.attempt, this.#options.random, policy)
    const now = clock.monotonic()
    progress.failed(delivery.offset, failure.error, failedAttempt(failure.error, clock), now, waitMs)
    const { since = now } = progress.failures(delivery.offset) ?? {}
    const { attempts = 5, maxElapsedMs = 60_000 } = policy
    // Each topic it came back through was a wait for one attempt; more of them here would hold up what is due behind it.
    const usedUp = failure.final || isReturned || delivery.attempt >= attempts || now - since + waitMs > maxElapsedMs
    const takesOver = this.#takesOver
    if (takesOver !== undefined && usedUp)
      return this.#store(passage, () => this.#take(passage, takesOver, failure.error, failure.final))
    this.#options.logger.warn(
      // The stack once is enough; a record that fails for hours would fill the log with it.
      {
        ...place(delivery),
        attempt: delivery.attempt,
        retryInMs: waitMs,
        ...(delivery.attempt === 1 && { error: failure.error }),
      },
      `handling failed: ${failure.error.message}; it is tried again; its key waits, and other keys of the partition go on as far as one fetch from here reaches`,
    )
    return 'held'
  }

  /** Runs what keeps a delivery elsewhere. Should that fail, the delivery stays here, and no attempt is counted. */
  #store(passage: Passage, work: () => Promise<LaneOutcome>): Promise<LaneOutcome> {
    return new Promise((resolve) => {
      let outcome: LaneOutcome = 'held'
      const run = async () => {
        outcome = await work()
      }
      // It has no signal and may be repeated, so one that hangs is not waited for.
      this.#options.attempts.watch(passage.context, run(), (failed) => {
        if (failed === undefined) {
          if (passage.probes) this.#options.circuit.recovered()
          resolve(outcome)
          return
        }
        const failure = failureOf(failed.thrown, this.#options.retry)
        resolve(
          failure.kind === 'outage'
            ? this.#outage(passage, failure.part, failure.error)
            : this.#postpone(passage, failure.error),
        )
      })
    })
  }

  async #follow(passage: Passage, takesOver: FailedEventsMember): Promise<LaneOutcome> {
    let isFree = false
    const outcome = await this.#store(passage, async () => {
      const followed = await takesOver.follow(passage.delivery)
      isFree = followed === 'free'
      if (followed === 'full') this.#full(passage)
      return followed === 'taken' ? 'finished' : 'held'
    })
    return isFree ? this.#handle({ ...passage, probes: false }) : outcome
  }

  async #take(passage: Passage, takesOver: FailedEventsMember, error: Error, final: boolean): Promise<LaneOutcome> {
    const { delivery, event, progress, context } = passage
    const history = progress.failures(delivery.offset)?.history ?? []
    const taken = await takesOver.take({
      delivery: event,
      attempts: history,
      final,
      afterGivingUp: context.handling?.afterGivingUp ?? 'stop',
    })
    if (taken === 'full') {
      this.#full(passage)
      return 'held'
    }
    this.#options.logger.warn(
      { ...place(event), attempt: event.attempt, final, error },
      `handling failed ${event.attempt} time(s): ${error.message}; the event was taken over, and its partition goes on`,
    )
    return 'finished'
  }

  #full(passage: Passage): void {
    this.#postpone(
      passage,
      new Error('too many failed events are kept already: the limit is reached, so this one and its partition wait'),
    )
  }

  async #reject(delivery: Delivery, error: RejectedRecordError): Promise<LaneOutcome> {
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
    return 'finished'
  }

  #outage({ delivery, progress, probes }: Passage, part: string, error: Error): LaneOutcome {
    const { circuit, clock } = this.#options
    circuit.failed(part, error, probes)
    progress.postponed(delivery.offset, error, clock.monotonic(), circuit.restMs)
    return 'held'
  }

  #postpone({ delivery, progress, probes }: Passage, error: Error): LaneOutcome {
    const { clock, random, retry, circuit, logger } = this.#options
    if (probes) circuit.inconclusive()
    const before = progress.postponements(delivery.offset)
    const waitMs = backoffMs(before + 1, random, retry)
    progress.postponed(delivery.offset, error, clock.monotonic(), waitMs)
    logger.warn(
      { ...place(delivery), retryInMs: waitMs, ...(before === 0 && { error }) },
      `the event waits, and no attempt is counted: ${error.message}`,
    )
    return 'held'
  }

  #policyOf(context: DeliveryContext): RetryPolicy {
    const own = context.handling?.retry
    return own === undefined ? this.#options.retry : { ...this.#options.retry, ...own }
  }
}

function place({ message, partition, offset, group }: Delivery) {
  return { topic: message.topic, partition, offset, group }
}
