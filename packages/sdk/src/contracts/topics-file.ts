import type { ContractProblems } from './contract-problems.ts'
import type { TopicContract } from './contracts.ts'
import { parseRetention } from './retention.ts'
import { describe, isObject, YamlFile, type YamlObject } from './yaml-file.ts'

/** What `topics.yaml` says. */
export interface TopicsFile {
  /** What every Avro namespace begins with, such as `shop`; `undefined` when the file does not say it rightly. */
  readonly namespace: string | undefined
  readonly topics: readonly TopicContract[]
  /** Whether topics could be read at all; when not, nothing follows from one that is missing. */
  readonly isReadable: boolean
  /** Says that something is wrong with an event of a topic. */
  problem(topic: string, option: string, message: string): void
}

/** Stands in for a file that is not there, which has been said. */
export const noTopicsFile: TopicsFile = { namespace: undefined, topics: [], isReadable: false, problem() {} }

export const topicsFileName = 'topics.yaml'

const topicNameRule = /^[a-zA-Z0-9._-]{1,249}$/
const namespaceRule = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$/
const options = [
  'partitions',
  'retention',
  'key',
  'owner',
  'description',
  'events',
  'cleanup',
  'replicas',
  'external',
] as const

/** Reads `topics.yaml`; what is wrong goes to the problems. */
export function readTopicsFile(text: string, problems: ContractProblems): TopicsFile {
  const file = new YamlFile(topicsFileName, text, problems)
  const problem = (topic: string, option: string, message: string) =>
    file.problem(['topics', topic, option], `topic ${topic}: ${message}`)
  const unreadable = { namespace: undefined, topics: [], isReadable: false, problem }
  if (!file.isReadable) return unreadable
  const content = file.content()
  if (!isObject(content)) {
    file.problem([], `expected "namespace" and "topics", got ${describe(content)}`)
    return unreadable
  }
  file.onlyKnown(content, [], ['namespace', 'topics'], 'the file')
  const topics = file
    .entriesOf(content.topics, ['topics'], 'topics by name')
    .map(([name, topic]) => readTopic(file, name, topic))
  checkListedOnce(file, topics)
  return { namespace: readNamespace(file, content), topics, isReadable: isObject(content.topics), problem }
}

function readNamespace(file: YamlFile, content: YamlObject): string | undefined {
  const { namespace } = content
  if (typeof namespace === 'string' && namespaceRule.test(namespace)) return namespace
  file.problem(
    ['namespace'],
    `"namespace" must be what the Avro namespaces begin with, in lower case, such as "namespace: shop"; got ${describe(namespace)}`,
  )
  return undefined
}

function readTopic(file: YamlFile, name: string, topic: YamlObject): TopicContract {
  const path = ['topics', name]
  const what = `topic ${name}`
  const problem = (option: string, message: string) => file.problem([...path, option], `${what}: ${message}`)
  file.onlyKnown(topic, path, options, what)
  if (!topicNameRule.test(name) || name === '.' || name === '..')
    file.problem(path, `${what}: Kafka accepts 1 to 249 of a-z, A-Z, 0-9, ".", "_", "-" as a name`)
  return {
    name,
    partitions: wholeFromOne(topic.partitions, 'partitions', problem) ?? 1,
    retentionMs: readRetention(topic.retention, problem),
    cleanup: readCleanup(topic.cleanup, problem),
    replicas: topic.replicas === undefined ? undefined : wholeFromOne(topic.replicas, 'replicas', problem),
    key: file.text(topic, 'key', path, what),
    owner: file.text(topic, 'owner', path, what),
    description: file.text(topic, 'description', path, what),
    external: readFlag(topic.external, 'external', problem),
    events: file.texts(topic, 'events', path, what),
  }
}

type Problem = (option: string, message: string) => void

function wholeFromOne(value: unknown, option: string, problem: Problem): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  problem(option, `"${option}" must be a whole number from 1 up, got ${describe(value)}`)
  return undefined
}

function readRetention(value: unknown, problem: Problem): number {
  const ms = typeof value === 'string' ? parseRetention(value.trim()) : undefined
  if (ms === undefined)
    problem(
      'retention',
      `"retention" must be such as "30 days", "12 hours", "1 year" or "forever", got ${describe(value)}`,
    )
  return ms ?? -1
}

function readCleanup(value: unknown, problem: Problem): TopicContract['cleanup'] {
  if (value === undefined || value === 'delete') return 'delete'
  if (value === 'compact' || value === 'compact,delete') return value
  problem('cleanup', `"cleanup" must be "delete", "compact" or "compact,delete", got ${describe(value)}`)
  return 'delete'
}

function readFlag(value: unknown, option: string, problem: Problem): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  problem(option, `"${option}" must be true or false, got ${describe(value)}`)
  return false
}

function checkListedOnce(file: YamlFile, topics: readonly TopicContract[]): void {
  const first = new Map<string, string>()
  for (const topic of topics)
    for (const event of topic.events) {
      const other = first.get(event)
      if (other === undefined) first.set(event, topic.name)
      else
        file.problem(
          ['topics', topic.name, 'events'],
          `topic ${topic.name}: ${event} is listed under ${other} too; an event belongs to one topic`,
        )
    }
}
