import { retentionText } from '@evtkit/sdk/contracts'
import type { TopicPlan, TopicStep } from '@evtkit/sdk/topics'
import type { Output } from './output.ts'

/** Prints a plan as people read it, or one JSON line per topic. `unchanged` topics are counted, not listed. */
export function printTopicPlan({ steps }: TopicPlan, output: Output): void {
  const { style } = output
  if (output.json) {
    for (const step of steps) output.record(step)
    return
  }
  const look: Readonly<Record<TopicStep['action'], (text: string) => string>> = {
    create: style.green,
    change: style.yellow,
    refuse: style.red,
    unchanged: style.dim,
    external: style.dim,
    unknown: style.dim,
  }
  const shown = steps.filter(({ action }) => action !== 'unchanged')
  if (shown.length > 0)
    output.table(
      [
        { key: 'action', title: '' },
        { key: 'topic', title: 'topic' },
        { key: 'what', title: 'what' },
        { key: 'remarks', title: 'remarks' },
      ],
      shown.map((step) => ({
        action: look[step.action](step.action),
        topic: step.topic,
        what: what(step),
        remarks: step.remarks.join('; '),
      })),
    )
  output.line(summary(steps))
}

function summary(steps: readonly TopicStep[]): string {
  const count = (action: TopicStep['action']) => steps.filter((step) => step.action === action).length
  const parts = (['create', 'change', 'refuse', 'unchanged', 'external', 'unknown'] as const)
    .filter((action) => count(action) > 0)
    .map(
      (action) =>
        `${count(action)} ${action === 'refuse' ? 'refused' : action === 'unknown' ? 'not in the contracts' : action === 'create' || action === 'change' ? `to ${action}` : action}`,
    )
  return `Topics: ${parts.length === 0 ? 'none' : parts.join(', ')}.`
}

/** A step in one line, with what is to be known about it. */
export function stepText(step: TopicStep): string {
  return [`${step.action} topic ${step.topic}: ${what(step)}`, ...step.remarks].join('; ')
}

function what({ action, found, wanted, differences }: TopicStep): string {
  if (action === 'create' && wanted !== null) return settings(wanted)
  if (action === 'change' || action === 'refuse')
    return differences
      .map((difference) =>
        difference.setting === 'retentionMs'
          ? `retention ${retentionText(difference.from)} -> ${retentionText(difference.to)}`
          : `${difference.setting} ${difference.from} -> ${difference.to}`,
      )
      .join(', ')
  return found === null ? '' : settings(found)
}

function settings({
  partitions,
  retentionMs,
  cleanup,
  replicas,
}: {
  readonly partitions: number
  readonly retentionMs: number
  readonly cleanup: string
  readonly replicas: number | null
}): string {
  const copies = replicas === null ? '' : `, ${replicas} cop${replicas === 1 ? 'y' : 'ies'}`
  return `${partitions} partition${partitions === 1 ? '' : 's'}, ${retentionText(retentionMs)}${cleanup === 'delete' ? '' : `, ${cleanup}`}${copies}`
}
