import { InvalidConfigurationError, UnknownTopicError } from '../core/errors.ts'
import type { TopicDetails } from '../core/topic.ts'
import type { GroupAdmin, TopicAdmin } from '../core/transport.ts'
import { deadLetterTopicName, isRetryTopicOf, retryTopicName } from './retry-topic-names.ts'

export type TopicLooks = Pick<TopicAdmin, 'listTopics' | 'describeTopics' | 'offsets'> & Pick<GroupAdmin, 'committed'>

/**
 * The topics of a group's tiers exist and can hold what waits in them, and no topic of a tier that is no more still holds
 * something.
 *
 * @throws UnknownTopicError that names all that are missing
 * @throws InvalidConfigurationError when a topic would lose what waits in it
 */
export async function checkTopics(admin: TopicLooks, group: string, tiers: readonly number[]): Promise<void> {
  const delays = new Map(tiers.map((delayMs) => [retryTopicName(group, delayMs), delayMs]))
  const names = [...delays.keys(), deadLetterTopicName(group)]
  const found = await admin.describeTopics(names)
  const missing = names.filter((name) => !found.some((topic) => topic.name === name))
  const [first] = missing
  if (first !== undefined)
    throw new UnknownTopicError(first, {
      message: `group "${group}" needs topics that do not exist: ${missing.map((name) => `"${name}"`).join(', ')}. Create them; retryTopicDefinitions("${group}", [${tiers.join(', ')}]) describes them all. Until then nothing is handled.`,
    })
  for (const topic of found) mustHold(topic, delays.get(topic.name) ?? 0)
  await mustBeRead(admin, group, new Set(names))
}

function mustHold({ name, cleanup, retentionMs }: TopicDetails, delayMs: number): void {
  if (cleanup !== 'delete')
    throw new InvalidConfigurationError(
      `topic "${name}" is compacted (cleanup.policy ${cleanup}), so it would lose events that others of their key come after; set its cleanup.policy to delete`,
    )
  // Twice, since an event also waits behind those before it, and while its consumers are away.
  if (retentionMs !== -1 && retentionMs < delayMs * 2)
    throw new InvalidConfigurationError(
      `topic "${name}" keeps records for ${retentionMs} ms, and events wait in it for ${delayMs} ms and behind each other: they could be gone before they are due. Set its retention.ms to ${delayMs * 2} or more; some days above the delay outlast an outage.`,
    )
}

async function mustBeRead(admin: TopicLooks, group: string, read: ReadonlySet<string>): Promise<void> {
  const topics = await admin.listTopics()
  const others = topics.filter(({ name }) => isRetryTopicOf(group, name) && !read.has(name))
  for (const { name } of others) {
    const committed = new Map((await admin.committed(group, name)).map(({ partition, offset }) => [partition, offset]))
    const offsets = await admin.offsets(name)
    let left = 0n
    for (const { partition, low, high } of offsets) {
      const next = committed.get(partition)
      left += high - (next === undefined || next < low ? low : next)
    }
    if (left > 0n)
      throw new InvalidConfigurationError(
        `topic "${name}" still holds ${left} event(s) of group "${group}", and no tier has that delay any more, so they would never be handled. Keep its tier until the topic is empty; or delete the topic, and them with it.`,
      )
  }
}
