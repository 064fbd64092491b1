import type { HandlerOptions } from './handler-options.ts'
import type { Delivery } from './message.ts'

/** What a middleware and a handler can see of the delivery they work on. */
export interface Context {
  readonly delivery: Delivery
  readonly group: string
  /** Aborted when the handler's deadline passes or closing takes too long: give up, the event comes again. */
  readonly signal: AbortSignal
}

/** A context whose signal is made only when somebody asks for it. */
export class DeliveryContext implements Context {
  readonly delivery: Delivery
  /** How failures of the handler are dealt with; known once the event was decoded. */
  handling: HandlerOptions | undefined
  #controller: AbortController | undefined
  #abortReason: Error | undefined

  constructor(delivery: Delivery) {
    this.delivery = delivery
  }

  get group(): string {
    return this.delivery.group
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }
}
