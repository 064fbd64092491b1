import { InvalidConfigurationError } from '../core/errors.ts'
import type { NewTopic } from '../core/topic.ts'

const units: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/** A delay as it stands in the name of a topic: in the largest unit that it is a whole number of. */
export function delayName(delayMs: number): string {
  const [name, ms] = units.find(([, unitMs]) => delayMs % unitMs === 0) ?? ['ms', 1]
  return `${delayMs / ms}${name}`
}

/**
 * Name of the topic in which a group's failed events wait for `delayMs`, such as `shipping.retry.10m`.
 *
 * @throws InvalidConfigurationError when Kafka would refuse the name.
 */
export function retryTopicName(group: string, delayMs: number): string {
  return legal(`${group}.retry.${delayName(delayMs)}`, group)
}

/**
 * Name of the topic that holds a group's dead letters, such as `shipping.dead-letters`.
 *
 * @throws InvalidConfigurationError when Kafka would refuse the name.
 */
export function deadLetterTopicName(group: string): string {
  return legal(`${group}.dead-letters`, group)
}

/** Whether a topic is one in which failed events of the group wait, of whatever delay. */
export function isRetryTopicOf(group: string, topic: string): boolean {
  const start = `${group}.retry.`
  return topic.startsWith(start) && /^\d+(ms|s|m|h|d)$/.test(topic.slice(start.length))
}

const longestName = 249

function legal(name: string, group: string): string {
  if (!/^[a-zA-Z0-9._-]+$/.test(name))
    throw new InvalidConfigurationError(
      `the topics of group ${JSON.stringify(group)} carry its name, and Kafka takes only a-z, A-Z, 0-9, ".", "_" and "-" in the name of a topic; give the group such a name`,
    )
  if (name.length > longestName)
    throw new InvalidConfigurationError(
      `"${name}" would have ${name.length} characters, and Kafka takes ${longestName} in the name of a topic; give the group a shorter name`,
    )
  return name
}

/** @throws InvalidConfigurationError when the delays cannot be tiers. */
export function mustBeTiers(tiers: readonly number[]): void {
  if (tiers.length === 0)
    throw new InvalidConfigurationError('retry topics need at least one tier: a delay in milliseconds, got []')
  for (const [i, delayMs] of tiers.entries()) {
    if (!Number.isSafeInteger(delayMs) || delayMs < 1)
      throw new InvalidConfigurationError(
        `the delay of a tier is a whole number of milliseconds above 0, got ${delayMs} in [${tiers.join(', ')}]`,
      )
    const before = tiers[i - 1]
    if (before !== undefined && delayMs <= before)
      throw new InvalidConfigurationError(
        `tiers go from the shortest delay to the longest, and ${delayMs} comes after ${before} in [${tiers.join(', ')}]; each has a topic of its own, so none may repeat`,
      )
  }
}

export interface RetryTopicSettings {
  /** Partitions of each retry topic; as many as the topics that the group reads is a good number. @default 1 */
  readonly partitions?: number
  /** How long a retry topic keeps records: longer than the group may ever be away. Milliseconds. @default 14 days above the longest delay */
  readonly retentionMs?: number
  /** How long dead letters are kept. Milliseconds; -1 for ever. @default -1 */
  readonly deadLetterRetentionMs?: number
}

/**
 * The topics that a group needs for retry topics: one for each tier, and the one for its dead letters. They are never created
 * by consuming; create them, or list them among those that `evt topics plan` looks at.
 *
 * @example
 * await kafka.createTopics(retryTopicDefinitions('shipping', [5_000, 60_000, 600_000], { partitions: 6 }))
 *
 * @throws InvalidConfigurationError for tiers that are not positive and ascending, or a group whose name is no topic's.
 */
export function retryTopicDefinitions(
  group: string,
  tiers: readonly number[],
  settings: RetryTopicSettings = {},
): readonly NewTopic[] {
  mustBeTiers(tiers)
  const { partitions = 1, deadLetterRetentionMs = -1 } = settings
  const { retentionMs = 14 * 86_400_000 + Math.max(...tiers) } = settings
  return [
    ...tiers.map((delayMs): NewTopic => ({ name: retryTopicName(group, delayMs), partitions, retentionMs })),
    deadLetterTopicDefinition(group, { retentionMs: deadLetterRetentionMs }),
  ]
}

/**
 * The topic for the dead letters of a group. It has one partition, so that all who read it see one order of what was decided.
 *
 * @throws InvalidConfigurationError for a group whose name is no topic's.
 */
export function deadLetterTopicDefinition(
  group: string,
  { retentionMs = -1 }: { retentionMs?: number } = {},
): NewTopic {
  return { name: deadLetterTopicName(group), partitions: 1, retentionMs }
}
