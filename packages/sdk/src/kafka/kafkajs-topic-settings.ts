import type { Admin, ConfigResourceTypes, ConfigSource } from 'kafkajs'
import { BrokerRefusedError } from '../core/errors.ts'
import type { TopicCleanup, TopicDetails } from '../core/topic.ts'
import type { TopicChanges } from '../core/transport.ts'

/** Node finds no such names in the CommonJS package, so they stand here by their numbers in the protocol. */
const topicResource: ConfigResourceTypes.TOPIC = 2
const topicSource: ConfigSource.TOPIC_CONFIG = 1

const retention = 'retention.ms'
const cleanup = 'cleanup.policy'

/** The settings of a topic in the broker's words; only those that are said. */
export function brokerSettings(changes: TopicChanges): { name: string; value: string }[] {
  return [
    ...(changes.retentionMs === undefined ? [] : [{ name: retention, value: String(changes.retentionMs) }]),
    ...(changes.cleanup === undefined ? [] : [{ name: cleanup, value: changes.cleanup }]),
  ]
}

/** Those of the topics that exist, in the order of `names`. */
export async function readTopics(admin: Admin, names: readonly string[]): Promise<readonly TopicDetails[]> {
  // Asking for all is what says of a topic that it is not there without failing for those that are.
  const { topics } = await admin.fetchTopicMetadata()
  const present = names.flatMap((name) => topics.filter((topic) => topic.name === name && topic.partitions.length > 0))
  if (present.length === 0) return []
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: present.map(({ name }) => ({
      type: topicResource,
      name,
      configNames: [retention, cleanup],
    })),
  })
  return present.map(({ name, partitions }) => {
    const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? []
    const settingOf = (setting: string) => entries.find(({ configName }) => configName === setting)?.configValue ?? ''
    return {
      name,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      retentionMs: Number(settingOf(retention)),
      cleanup: cleanupOf(settingOf(cleanup)),
    }
  })
}

/** kafkajs has no request that changes one setting: the one it has forgets all that are not in it, so all go along. */
export async function changeTopic(admin: Admin, name: string, changes: TopicChanges): Promise<void> {
  const type = topicResource
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] })
  const own = (resources[0]?.configEntries ?? []).filter(({ configSource }) => configSource === topicSource)
  const hidden = own.filter(({ isSensitive }) => isSensitive).map(({ configName }) => configName)
  if (hidden.length > 0)
    throw new BrokerRefusedError(
      `the settings of topic "${name}" cannot be changed without losing ${hidden.join(', ')}, which the broker does not tell; change them with Kafka's own tools`,
    )
  const settings = new Map(own.map(({ configName, configValue }) => [configName, configValue]))
  for (const { name: setting, value } of brokerSettings(changes)) settings.set(setting, value)
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type, name, configEntries: [...settings].map(([setting, value]) => ({ name: setting, value })) }],
  })
}

function cleanupOf(policy: string): TopicCleanup {
  const parts = policy.split(',').map((part) => part.trim())
  if (!parts.includes('compact')) return 'delete'
  return parts.includes('delete') ? 'compact,delete' : 'compact'
}
