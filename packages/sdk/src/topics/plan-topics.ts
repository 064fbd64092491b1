import { InvalidConfigurationError } from '../core/errors.ts'
import type { TopicCleanup, TopicDetails } from '../core/topic.ts'
import type { TopicAdmin } from '../core/transport.ts'
import type { TopicDifference, TopicPlan, TopicStep } from './topic-plan.ts'
import type { TopicSetup, WantedTopic } from './wanted-topic.ts'

export interface PlanTopicsOptions {
  readonly admin: Pick<TopicAdmin, 'listTopics' | 'describeTopics'>
  readonly wanted: readonly WantedTopic[]
  /** Permits what deletes records: a shorter retention, another cleanup. @default false */
  readonly allowDataLoss?: boolean
  /** Which cluster this is, so that the plan is not applied to another. */
  readonly cluster?: string
}

/**
 * Compares topics as they should be with those of a cluster. Changes nothing.
 *
 * @example
 * const plan = await planTopics({ admin: kafka, wanted: contracts.topics })
 * if (!isSettled(plan)) await applyTopicPlan({ admin: kafka, plan })
 *
 * @throws InvalidConfigurationError when a topic is wanted twice
 */
export async function planTopics(options: PlanTopicsOptions): Promise<TopicPlan> {
  const { admin, wanted, allowDataLoss = false, cluster } = options
  const names = wanted.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidConfigurationError(`topic "${twice}" is wanted twice; name it once`)
  const present = (await admin.listTopics()).map(({ name }) => name)
  const details = await admin.describeTopics([...names, ...present.filter((name) => !names.includes(name))])
  const byName = new Map(details.map((topic) => [topic.name, topic]))
  const steps = wanted.map((topic) => stepFor(topic, byName.get(topic.name), allowDataLoss))
  const others = details.filter(({ name }) => !names.includes(name)).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const topic of others)
    steps.push({
      topic: topic.name,
      action: 'unknown',
      found: setupOf(topic),
      wanted: null,
      differences: [],
      remarks: ['not in the contracts; left as it is'],
    })
  return { planVersion: 1, cluster: cluster ?? null, steps }
}

/** What of a topic is compared. */
export function setupOf({ partitions, replicas, retentionMs, cleanup }: TopicSetup): TopicSetup {
  return { partitions, replicas, retentionMs, cleanup }
}

function stepFor(topic: WantedTopic, details: TopicDetails | undefined, allowDataLoss: boolean): TopicStep {
  const { name, partitions, retentionMs, cleanup = 'delete', replicas = null, external = false } = topic
  const wanted = { partitions, replicas, retentionMs, cleanup }
  const found = details === undefined ? null : setupOf(details)
  const differences = found === null ? [] : differencesOf(found, wanted)
  const step = { topic: name, found, wanted, differences }
  if (external) return { ...step, action: 'external', remarks: externalRemarks(found, partitions) }
  if (found === null) return { ...step, action: 'create', remarks: [] }
  if (differences.length === 0) return { ...step, action: 'unchanged', remarks: [] }
  const refusals = differences.flatMap((difference) => refusalOf(difference, found, allowDataLoss) ?? [])
  if (refusals.length > 0) return { ...step, action: 'refuse', remarks: refusals }
  return { ...step, action: 'change', remarks: differences.flatMap((difference) => warningOf(difference, found) ?? []) }
}

function differencesOf(found: TopicSetup, wanted: NonNullable<TopicStep['wanted']>): readonly TopicDifference[] {
  const differences: TopicDifference[] = []
  for (const setting of ['partitions', 'replicas', 'retentionMs'] as const) {
    const to = wanted[setting]
    if (to !== null && to !== found[setting]) differences.push({ setting, from: found[setting], to })
  }
  if (wanted.cleanup !== found.cleanup)
    differences.push({ setting: 'cleanup', from: found.cleanup, to: wanted.cleanup })
  return differences
}

function refusalOf(difference: TopicDifference, found: TopicSetup, allowDataLoss: boolean): string | undefined {
  const { setting, from, to } = difference
  if (setting === 'partitions' && to < from)
    return `Kafka cannot take partitions away (${from} to ${to}): make a new topic and move the records, or correct the contract`
  if (setting === 'replicas')
    return `the number of copies is not changed here (${from} to ${to}): it moves all data of the topic, use kafka-reassign-partitions, or correct the contract`
  const loss = lossOf(difference, found)
  return loss === undefined || allowDataLoss ? undefined : `${loss}; needs --allow-data-loss`
}

function warningOf(difference: TopicDifference, found: TopicSetup): string | undefined {
  if (difference.setting === 'partitions')
    return 'most keys move to another partition: events of one key from before and after may be handled out of order until the old ones are read'
  return lossOf(difference, found)
}

/** Which records a change deletes, if any. */
function lossOf(difference: TopicDifference, found: TopicSetup): string | undefined {
  if (difference.setting === 'retentionMs') {
    const { from, to } = difference
    // Nothing is deleted by age while the topic is only compacted.
    if (found.cleanup === 'compact' || !isShorter(to, from)) return undefined
    return 'records older than the new retention are deleted for good'
  }
  if (difference.setting !== 'cleanup') return undefined
  const [from, to] = [ways(difference.from), ways(difference.to)]
  if (to.has('compact') && !from.has('compact')) return 'all but the last record of each key are deleted for good'
  if (to.has('delete') && !from.has('delete')) return 'records older than the retention are deleted for good'
  return undefined
}

const ways = (cleanup: TopicCleanup): ReadonlySet<string> => new Set(cleanup.split(','))

const isShorter = (to: number, from: number): boolean => to >= 0 && (from < 0 || to < from)

function externalRemarks(found: TopicSetup | null, partitions: number): readonly string[] {
  if (found === null) return ['not there; whoever owns it has to create it']
  if (found.partitions < partitions)
    return [`has ${found.partitions} partition(s), ${partitions} are expected; whoever owns it has to add them`]
  return ['belongs to somebody else; never touched']
}
