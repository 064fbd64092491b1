import { InvalidConfigurationError, StaleTopicPlanError } from '../core/errors.ts'
import type { TopicAdmin, TopicChanges } from '../core/transport.ts'
import { setupOf } from './plan-topics.ts'
import type { TopicPlan, TopicStep } from './topic-plan.ts'
import type { TopicSetup } from './wanted-topic.ts'

export interface ApplyTopicPlanOptions {
  readonly admin: TopicAdmin
  readonly plan: TopicPlan
  /** Which cluster this is; compared with the plan's where both are known. */
  readonly cluster?: string
  /** Called after each topic that was created or changed. */
  readonly onApplied?: (step: TopicStep) => void
  /** Stops between two topics. */
  readonly signal?: AbortSignal
}

/**
 * Does what a plan says, and nothing else: topics that are refused, external or unknown stay as they are. When one fails,
 * those before it are done and those behind it are not; a new plan says what is left.
 *
 * @returns what was created and changed, in that order of the plan
 * @throws StaleTopicPlanError when a topic is no longer as the plan found it; then nothing was done
 * @throws InvalidConfigurationError when the plan is for another cluster
 */
export async function applyTopicPlan(options: ApplyTopicPlanOptions): Promise<readonly TopicStep[]> {
  const { admin, plan, cluster, onApplied, signal } = options
  if (plan.cluster !== null && cluster !== undefined && plan.cluster !== cluster)
    throw new InvalidConfigurationError(
      `the plan was made for cluster ${plan.cluster}, and this is ${cluster}; make a plan for this one`,
    )
  const steps = plan.steps.filter(({ action }) => action === 'create' || action === 'change')
  const now = await admin.describeTopics(steps.map(({ topic }) => topic))
  const moved = steps.flatMap(({ topic, found }) => {
    const details = now.find(({ name }) => name === topic)
    return changeSince(topic, found, details === undefined ? null : setupOf(details)) ?? []
  })
  if (moved.length > 0)
    throw new StaleTopicPlanError(
      `the cluster has changed since the plan was made: ${moved.join('; ')}. Nothing was done; make a new plan.`,
    )
  const done: TopicStep[] = []
  for (const step of steps) {
    signal?.throwIfAborted()
    await applyStep(admin, step)
    done.push(step)
    onApplied?.(step)
  }
  return done
}

async function applyStep(admin: TopicAdmin, { topic, action, wanted, differences }: TopicStep): Promise<void> {
  if (wanted === null) return
  if (action === 'create') {
    const { replicas, ...setup } = wanted
    await admin.createTopics([{ name: topic, ...setup, ...(replicas !== null && { replicas }) }])
    return
  }
  // The differences are what was printed, so they are what is done.
  let changes: TopicChanges = {}
  let partitions: number | undefined
  for (const difference of differences) {
    if (difference.setting === 'retentionMs') changes = { ...changes, retentionMs: difference.to }
    else if (difference.setting === 'cleanup') changes = { ...changes, cleanup: difference.to }
    else if (difference.setting === 'partitions') partitions = difference.to
  }
  // Partitions last: they cannot be taken back when the rest is refused.
  if (Object.keys(changes).length > 0) await admin.configureTopic(topic, changes)
  if (partitions !== undefined) await admin.growTopic(topic, partitions)
}

function changeSince(topic: string, before: TopicSetup | null, now: TopicSetup | null): string | undefined {
  if (before === null) return now === null ? undefined : `"${topic}" has been created`
  if (now === null) return `"${topic}" has been deleted`
  const settings = (['partitions', 'replicas', 'retentionMs', 'cleanup'] as const).filter(
    (setting) => before[setting] !== now[setting],
  )
  if (settings.length === 0) return undefined
  return `"${topic}" has other ${settings.map((setting) => `${setting} (${before[setting]}, now ${now[setting]})`).join(', ')}`
}
