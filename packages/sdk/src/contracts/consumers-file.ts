import type { ContractProblems } from './contract-problems.ts'
import type { ConsumerContract } from './contracts.ts'
import { describe, isObject, YamlFile } from './yaml-file.ts'

export const consumersFileName = 'consumers.yaml'

/**
 * Reads `consumers.yaml`; what is wrong goes to the problems.
 *
 * @param known types of all events.
 */
export function readConsumersFile(
  text: string,
  known: ReadonlySet<string>,
  problems: ContractProblems,
): readonly ConsumerContract[] {
  const file = new YamlFile(consumersFileName, text, problems)
  if (!file.isReadable) return []
  const content = file.content()
  if (!isObject(content)) {
    file.problem([], `expected "consumers", got ${describe(content)}`)
    return []
  }
  file.onlyKnown(content, [], ['consumers'], 'the file')
  return file
    .entriesOf(content.consumers, ['consumers'], 'consumers by group')
    .map(([group, consumer]): ConsumerContract => {
      const path = ['consumers', group]
      const what = `consumer ${group}`
      file.onlyKnown(consumer, path, ['owner', 'events'], what)
      const events = file.texts(consumer, 'events', path, what)
      for (const event of events)
        if (!known.has(event))
          file.problem([...path, 'events'], `${what}: there is no event ${event} among the schemas`)
      return { group, owner: file.text(consumer, 'owner', path, what), events }
    })
}
