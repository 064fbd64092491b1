import type { DeadLetterPage } from './dead-letter.ts'

/** A key whose events wait, as a person looks at it. */
export interface ParkedKey {
  readonly id: string
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  /** `stopped` when its head is a dead letter, which somebody has to redrive or discard. */
  readonly state: 'retrying' | 'stopped'
  readonly since: Date
  /** When its head is tried again; while that is under way, when the attempt counts as lost. */
  readonly dueAt: Date
  /** Whether an instance works on it now. */
  readonly isClaimed: boolean
  readonly events: number
  readonly head: ParkedHead | null
}

/** The event that a key waits for. */
export interface ParkedHead {
  readonly id: string
  readonly offset: bigint
  readonly eventId: string | null
  readonly eventType: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly attemptCount: number
}

/** Chooses waiting keys of one group. */
export interface ParkedKeyFilter {
  readonly group: string
  readonly ids?: readonly string[]
  readonly topic?: string
  /** Text stands for its bytes in UTF-8. */
  readonly key?: string | Buffer
  readonly state?: ParkedKey['state']
  /** All of the group's, when nothing else is said. */
  readonly all?: true
}

/** What to list: without a group, the waiting keys of all groups. */
export interface ParkedKeyQuery extends Omit<ParkedKeyFilter, 'group' | 'all'> {
  readonly group?: string
}

export type ParkedKeyPage = DeadLetterPage
