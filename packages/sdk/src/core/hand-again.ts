import { backoffMs } from './backoff.ts'
import { DeliveryContext } from './context.ts'
import type { RetryOutcome } from './failed-events.ts'
import { failedAttempt, failureOf } from './failure.ts'
import type { HandOverOptions, Pipeline } from './hand-over.ts'
import type { Slots } from './lanes.ts'
import type { Delivery } from './message.ts'

export interface HandAgainOptions extends HandOverOptions {
  readonly slots: Slots
  /** Whether the consumer closes: what fails then says nothing about the event. */
  isClosing(): boolean
}

/** Hands events over again that somebody has taken over, in the slots of the consumer. */
export class HandAgain {
  readonly #options: HandAgainOptions
  readonly #pipeline: Pipeline

  constructor(options: HandAgainOptions, pipeline: Pipeline) {
    this.#options = options
    this.#pipeline = pipeline
  }

  run(delivery: Delivery): Promise<RetryOutcome> {
    return new Promise((resolve) => {
      this.#options.slots.take(() => {
        void this.#run(delivery).then((outcome) => {
          this.#options.slots.release()
          resolve(outcome)
        })
      })
    })
  }

  async #run(delivery: Delivery): Promise<RetryOutcome> {
    const { circuit, isClosing } = this.#options
    if (isClosing()) return this.#postponed(delivery)
    const probes = circuit.outage !== undefined && circuit.tryProbe()
    if (circuit.outage !== undefined && !probes) return this.#postponed(delivery)
    const context = new DeliveryContext(delivery)
    const failed = await new Promise<{ readonly thrown: unknown } | undefined>((resolve) => {
      const work = (async () => this.#pipeline(context))()
      this.#options.attempts.watch(context, work, resolve)
    })
    if (failed === undefined) {
      if (probes) circuit.recovered()
      return { result: 'handled' }
    }
    return this.#failed(context, failed.thrown, probes)
  }

  #failed(context: DeliveryContext, thrown: unknown, probes: boolean): RetryOutcome {
    const { circuit, clock, retry, isClosing } = this.#options
    const { delivery, handling } = context
    const failure = failureOf(thrown, { ...retry, ...handling?.retry })
    if (failure.kind === 'outage') {
      circuit.failed(failure.part, failure.error, probes)
      return this.#postponed(delivery)
    }
    if (isClosing()) {
      if (probes) circuit.inconclusive()
      return this.#postponed(delivery)
    }
    if (probes) circuit.recovered()
    if (failure.kind === 'setup') return this.#postponed(delivery)
    return {
      result: 'failed',
      attempt: failedAttempt(failure.error, clock),
      final: failure.kind === 'rejection' || failure.final,
      afterGivingUp: failure.kind === 'rejection' ? 'skip' : (handling?.afterGivingUp ?? 'stop'),
    }
  }

  #postponed(delivery: Delivery): RetryOutcome {
    const { circuit, random, retry } = this.#options
    return { result: 'postponed', retryInMs: Math.max(circuit.restMs, backoffMs(delivery.attempt, random, retry)) }
  }
}
