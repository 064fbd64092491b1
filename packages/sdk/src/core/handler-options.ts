import type { AfterGivingUp } from './failed-events.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** How failures of one handler are dealt with. */
export interface HandlerOptions {
  /** What differs from the consumer's policy. @default the consumer's */
  readonly retry?: RetryPolicy
  /**
   * What becomes of the key's later events once this one is given up, where a parking keeps them: they wait until someone
   * decides (`stop`) or go on without it (`skip`). @default 'stop'
   */
  readonly afterGivingUp?: AfterGivingUp
}

/** What a wrapper of handlers says about itself, for checks when a consumer starts. */
export const remembersMs: unique symbol = Symbol.for('evtkit.remembers-ms')

/** For how long a handler recognises an event that comes again; endless when it says nothing. Milliseconds. */
export function memoryOf(handler: object): number {
  return remembersMs in handler && typeof handler[remembersMs] === 'number'
    ? handler[remembersMs]
    : Number.POSITIVE_INFINITY
}
