import type { RejectedRecordError } from './errors.ts'
import type { Delivery } from './message.ts'

/** A delivery that no retry will make readable, and why. */
export interface Rejection {
  readonly delivery: Delivery
  readonly error: RejectedRecordError
}

/**
 * Stores a rejected record with its bytes. The offset moves on only after it resolved; when it rejects, the record is
 * handed over again.
 */
export type RejectHandler = (rejection: Rejection) => void | Promise<void>
