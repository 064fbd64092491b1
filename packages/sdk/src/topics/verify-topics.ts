import { TopicMismatchError, UnknownTopicError } from '../core/errors.ts'
import type { TopicDefinition } from '../core/topic.ts'
import type { TopicAdmin } from '../core/transport.ts'

/**
 * For the start of a service: all of its topics exist, with at least as many partitions as their definitions say. Those of
 * others are told apart, since their owners mend them.
 *
 * @example
 * await verifyTopics(kafka, [OrderEvents, PaymentEvents])
 *
 * @param mend what the error says to run. @default 'evt topics apply'
 * @throws UnknownTopicError when topics are missing; the message names every one
 * @throws TopicMismatchError when topics have too few partitions; the message names these and those that are missing
 */
export async function verifyTopics(
  admin: Pick<TopicAdmin, 'listTopics'>,
  topics: readonly Pick<TopicDefinition, 'name' | 'partitions' | 'external'>[],
  mend = 'evt topics apply',
): Promise<void> {
  const present = new Map((await admin.listTopics()).map(({ name, partitions }) => [name, partitions]))
  const missing = [...new Set(topics.filter(({ name }) => !present.has(name)).map(({ name }) => name))]
  const small = topics.flatMap(({ name, partitions }) => {
    const found = present.get(name)
    return found !== undefined && found < partitions ? [`"${name}" has ${found} of ${partitions} partitions`] : []
  })
  const [first] = missing
  const foreign = new Set(topics.filter(({ external }) => external === true).map(({ name }) => name))
  const wrong = topics.filter(({ name, partitions }) => (present.get(name) ?? 0) < partitions).map(({ name }) => name)
  const [ours, others] = [wrong.filter((name) => !foreign.has(name)), wrong.filter((name) => foreign.has(name))]
  const steps = [
    ...(ours.length > 0 ? [`Run ${mend}`] : []),
    ...(others.length > 0 ? [`Ask the owners of ${[...new Set(others)].map((name) => `"${name}"`).join(', ')}`] : []),
  ].join('. ')
  const absent = missing.length === 0 ? [] : [`missing: ${missing.map((name) => `"${name}"`).join(', ')}`]
  if (small.length > 0)
    throw new TopicMismatchError(
      `topics are not as their definitions say: ${[...absent, ...small].join('; ')}. ${steps}, then start again.`,
    )
  if (first !== undefined)
    throw new UnknownTopicError(first, {
      message: `topics do not exist (${absent.join()}). ${steps}, then start again; topics are never created by publishing or consuming.`,
    })
}
