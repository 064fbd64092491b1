import type { DeadLetterFilter } from './dead-letter.ts'

/** What a redrive would do. It changes nothing; `redrive` does exactly this, or less where something changed meanwhile. */
export interface RedrivePlan {
  readonly group: string
  readonly filter: DeadLetterFilter
  /** The dead letters chosen, as they are now. */
  readonly events: readonly PlannedEvent[]
  /** Whether there are more than one plan takes; redrive this one and plan again. */
  readonly hasMore: boolean
  readonly byEventType: readonly PlanCount[]
  readonly byErrorCode: readonly PlanCount[]
  /** The keys with most events, 50 of them. */
  readonly byKey: readonly PlanCount[]
  /** How many events wait behind those chosen: they follow, in the order of their key. */
  readonly successors: number
  /** When a consumer of the group that parks was seen last; `null` when never. Only such a consumer carries a redrive out. */
  readonly groupSeenAt: Date | null
  /** What a person should know first, as sentences. */
  readonly warnings: readonly string[]
}

export interface PlannedEvent {
  readonly id: string
  /** Changes with each change of the dead letter. */
  readonly revision: number
}

export interface PlanCount {
  /** `null` for events that do not say. */
  readonly name: string | null
  readonly events: number
}

/** What a redrive did. The events are handed over after that, by the consumers of the group. */
export interface RedriveResult {
  /** The record of it in the history. */
  readonly operationId: string
  readonly redriven: readonly string[]
  /** Left alone, because somebody or something changed them after they were chosen. */
  readonly changed: readonly string[]
}
