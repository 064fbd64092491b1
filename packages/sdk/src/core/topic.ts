import { InvalidDefinitionError } from './errors.ts'

/** The contract of one topic. */
export interface TopicDefinition {
  readonly name: string
  readonly partitions: number
  /** How long records are kept. Milliseconds; -1 for ever. */
  readonly retentionMs: number
  /** @default 'delete' */
  readonly cleanup?: TopicCleanup
  /** Belongs to somebody else, who makes and changes it. @default false */
  readonly external?: boolean
}

/** What becomes of old records: deleted after the retention, or all but the last of each key, or both. */
export type TopicCleanup = 'delete' | 'compact' | 'compact,delete'

/** A topic as it is created. */
export interface NewTopic extends TopicDefinition {
  /** Copies of each partition. @default what the transport was told, or the cluster's own */
  readonly replicas?: number
}

/** How a topic is set up. */
export interface TopicDetails extends TopicDefinition {
  readonly cleanup: TopicCleanup
  /** Copies of each partition. */
  readonly replicas: number
}

const nameRule = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * Defines a topic.
 *
 * @example
 * const OrderEvents = defineTopic({ name: 'order-events', partitions: 20, retentionMs: 365 * 24 * 3_600_000 })
 *
 * @throws InvalidDefinitionError for a name Kafka refuses, or a partition count or retention that is not a whole number.
 */
export function defineTopic(options: {
  name: string
  /** @default 1 */
  partitions?: number
  /** Milliseconds; -1 for ever. @default seven days, as Kafka's */
  retentionMs?: number
  /** @default 'delete' */
  cleanup?: TopicCleanup
  /** Belongs to somebody else, who makes and changes it. @default false */
  external?: boolean
}): TopicDefinition {
  const { name, partitions = 1, retentionMs = 7 * 24 * 3_600_000, cleanup, external } = options
  if (!nameRule.test(name) || name === '.' || name === '..')
    throw new InvalidDefinitionError(
      `topic name ${JSON.stringify(name)} is not one Kafka accepts: 1 to 249 of a-z, A-Z, 0-9, ".", "_", "-"`,
    )
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new InvalidDefinitionError(`topic "${name}" needs a whole number of partitions from 1 up, got ${partitions}`)
  if (!Number.isInteger(retentionMs) || retentionMs < -1)
    throw new InvalidDefinitionError(
      `topic "${name}" needs retentionMs in whole milliseconds, or -1, got ${retentionMs}`,
    )
  return Object.freeze({
    name,
    partitions,
    retentionMs,
    ...(cleanup !== undefined && { cleanup }),
    ...(external !== undefined && { external }),
  })
}
