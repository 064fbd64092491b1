import type { AfterGivingUp, FailedAttempt } from '../core/failed-events.ts'
import type { RawMessage } from '../core/message.ts'

/**
 * Where a failed event is: `parked` in its key's queue, `dead` and waiting for a decision, `redriven` and handled after that,
 * or `discarded`.
 */
export type DeadLetterState = 'parked' | 'dead' | 'redriven' | 'discarded'

/** An event that was given up by one group, with everything that is known of it. */
export interface DeadLetter {
  readonly id: string
  readonly state: DeadLetterState
  readonly group: string
  /** The record, byte for byte, unless it was edited. */
  readonly message: RawMessage
  readonly partition: number
  readonly offset: bigint
  /** From the record's headers, which anyone may have written; `null` when they do not say. */
  readonly eventId: string | null
  readonly eventType: string | null
  readonly eventVersion: string | null
  readonly correlationId: string | null
  /** The id or GUID of the schema that the record names. */
  readonly schemaId: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  /** The latest attempts, the oldest first. */
  readonly attempts: readonly FailedAttempt[]
  /** All of them, in place, parked and after each redrive. */
  readonly attemptCount: number
  /** What its key did when the event was given up. */
  readonly afterGivingUp: AfterGivingUp | null
  /** The waiting key whose queue it is in; `null` when nothing waits for it. */
  readonly waitingKey: string | null
  readonly redrives: number
  readonly firstSeen: Date
  readonly lastSeen: Date
  /** How often the record was delivered and stored; more than once after a crash, or when offsets were set back. */
  readonly timesSeen: number
}

/** One dead letter, and everything that was done to it. */
export interface DeadLetterDetails extends DeadLetter {
  /** How many events wait behind it. */
  readonly successors: number
  readonly edits: readonly DeadLetterEdit[]
  readonly operations: readonly DeadLetterOperation[]
}

/** What an event was before it was edited. */
export interface DeadLetterEdit {
  readonly at: Date
  readonly by: string
  readonly reason: string
  readonly oldEventId: string | null
  readonly newEventId: string
  /** As it was, byte for byte. */
  readonly oldMessage: Pick<RawMessage, 'value' | 'headers'>
}

/** Chooses dead letters of one group. What is given is asked for together. */
export interface DeadLetterFilter {
  readonly group: string
  readonly ids?: readonly string[]
  readonly topic?: string
  readonly eventType?: string
  readonly errorCode?: string
  /** The record's key; text stands for its bytes in UTF-8. */
  readonly key?: string | Buffer
  readonly correlationId?: string
  /** Failed last at this time or later. */
  readonly from?: Date
  /** Failed last before this time. */
  readonly to?: Date
  /** All of the group's, when nothing else is said. */
  readonly all?: true
}

/** What to list: without a group, those of all groups. */
export interface DeadLetterQuery extends Omit<DeadLetterFilter, 'group' | 'all'> {
  readonly group?: string
  /** @default ['dead'] */
  readonly states?: readonly DeadLetterState[]
}

export interface DeadLetterPage {
  /** @default 100 */
  readonly limit?: number
  /** The id of the last one on the page before. */
  readonly after?: string
}

/** Who decides, and why. Kept for good. */
export interface Decision {
  readonly by: string
  readonly reason: string
}

/** Something a person did to the failed events of a group. */
export interface DeadLetterOperation extends Decision {
  readonly id: string
  readonly operation: 'redrive' | 'edit' | 'discard' | 'retry-now' | 'skip'
  readonly group: string
  readonly at: Date
  /** What was asked for. */
  readonly filter: Readonly<Record<string, unknown>>
  /** The failed events that were changed; for `retry-now` the heads of the keys. */
  readonly ids: readonly string[]
}
