import type { TopicCleanup } from '../core/topic.ts'
import type { TopicSetup } from './wanted-topic.ts'

/** What is to be done with the topics of a cluster. Plain data: it can be written to a file, read, and applied later. */
export interface TopicPlan {
  /** Of this form. */
  readonly planVersion: 1
  /** Which cluster was looked at; applying it to another is refused. `null` when that was not asked. */
  readonly cluster: string | null
  /** The wanted topics in their order, then those of the cluster that nobody wants. */
  readonly steps: readonly TopicStep[]
}

export interface TopicStep {
  readonly topic: string
  /**
   * `create`, `change`: applying does it. `refuse`: something about it cannot be done, or not without a permission, so
   * nothing about the topic is. `unchanged`: it is as wanted. `external`: somebody else's, never touched. `unknown`: in the
   * cluster and not wanted, left as it is.
   */
  readonly action: 'create' | 'change' | 'refuse' | 'unchanged' | 'external' | 'unknown'
  /** As the cluster has it; `null` when there is no such topic. */
  readonly found: TopicSetup | null
  /** As it should be; without `replicas` where the cluster decides. */
  readonly wanted: (Omit<TopicSetup, 'replicas'> & { readonly replicas: number | null }) | null
  /** What differs. */
  readonly differences: readonly TopicDifference[]
  /** What to know before applying, or why it is refused; sentences. */
  readonly remarks: readonly string[]
}

export type TopicDifference =
  | { readonly setting: 'partitions' | 'replicas' | 'retentionMs'; readonly from: number; readonly to: number }
  | { readonly setting: 'cleanup'; readonly from: TopicCleanup; readonly to: TopicCleanup }

/** Whether the cluster is as wanted: nothing to create or change, and nothing refused. External topics are not ours to judge. */
export function isSettled(plan: TopicPlan): boolean {
  return plan.steps.every(({ action }) => action !== 'create' && action !== 'change' && action !== 'refuse')
}
