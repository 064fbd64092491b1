import { InvalidConfigurationError } from '../core/errors.ts'
import type { TopicPlan, TopicStep } from './topic-plan.ts'

const actions: readonly unknown[] = ['create', 'change', 'refuse', 'unchanged', 'external', 'unknown']
const settings: readonly string[] = ['partitions', 'replicas', 'retentionMs', 'cleanup']
const cleanups: readonly unknown[] = ['delete', 'compact', 'compact,delete']

/**
 * Takes a plan that was written down, such as by `evt topics plan --out`.
 *
 * @throws InvalidConfigurationError when it is not a plan, or one of another version
 */
export function parseTopicPlan(document: unknown): TopicPlan {
  if (!isObject(document) || !('planVersion' in document))
    throw new InvalidConfigurationError('this is not a plan of topics; evt topics plan --out <file> writes one')
  if (document.planVersion !== 1)
    throw new InvalidConfigurationError(
      `the plan is of version ${JSON.stringify(document.planVersion)}, and 1 is known; make the plan again`,
    )
  const { cluster, steps } = document
  if (!(cluster === null || typeof cluster === 'string') || !Array.isArray(steps) || !steps.every(isStep))
    throw new InvalidConfigurationError('the plan is damaged; make it again by evt topics plan --out <file>')
  return { planVersion: 1, cluster, steps }
}

function isStep(value: unknown): value is TopicStep {
  return (
    isObject(value) &&
    typeof value.topic === 'string' &&
    actions.includes(value.action) &&
    (value.found === null || isSetup(value.found, false)) &&
    (value.wanted === null || isSetup(value.wanted, true)) &&
    Array.isArray(value.differences) &&
    value.differences.every((difference) => isDifference(difference, value.found, value.wanted)) &&
    !(value.action === 'change' && value.differences.some(({ setting }) => setting === 'replicas')) &&
    Array.isArray(value.remarks)
  )
}

/** What is printed must be what was found and what is wanted: a file that was edited in one place would show one thing and do another. */
function isDifference(difference: unknown, found: unknown, wanted: unknown): boolean {
  if (!isObject(difference) || !isObject(found) || !isObject(wanted)) return false
  const { setting, from, to } = difference
  return typeof setting === 'string' && settings.includes(setting) && found[setting] === from && wanted[setting] === to
}

function isSetup(value: unknown, replicasMayBeMissing: boolean): boolean {
  return (
    isObject(value) &&
    Number.isInteger(value.partitions) &&
    Number.isInteger(value.retentionMs) &&
    cleanups.includes(value.cleanup) &&
    (Number.isInteger(value.replicas) || (replicasMayBeMissing && value.replicas === null))
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
