import type { TopicCleanup, TopicDetails } from '../core/topic.ts'

/** A topic as it should be: a topic of the contracts, or a definition. */
export interface WantedTopic {
  readonly name: string
  readonly partitions: number
  /** Milliseconds; -1 for ever. */
  readonly retentionMs: number
  /** @default 'delete' */
  readonly cleanup?: TopicCleanup
  /** Copies of each partition. @default the cluster's own */
  readonly replicas?: number | undefined
  /** Belongs to somebody else: looked at, never touched. @default false */
  readonly external?: boolean
}

/** What of a topic a plan looks at. */
export type TopicSetup = Omit<TopicDetails, 'name'>
