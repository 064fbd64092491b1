import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'
import { readTree } from '../connect.ts'
import { findEvent } from './schema-show.ts'

export const schemaDiff: CommandSpec = {
  path: 'schema diff',
  summary: 'say in words what changed in an event',
  description:
    'Lists every field that was added, removed, renamed or changed, words included, since the last version in a git ref, a folder or a registry. Whether that breaks anybody, evt schema check says.',
  args: [['<event>', 'such as OrderCreated or OrderCreated.v1']],
  options: [new Option('--against <base>', 'git ref, folder, registry URL, or "registry" for the one in the settings')],
  completes: 'events',
  examples: [
    ['evt schema diff OrderCreated', 'What changed since origin/main, or since the last commit.'],
    ['evt schema diff OrderCreated --against v1.4.0', 'What changed since a release.'],
  ],
  async run({ args, options, output, settings }) {
    const [name = ''] = args
    const { diffRecords, eventKey } = await import('@evtkit/sdk/contracts')
    const { readBase } = await import('../schema-base.ts')
    const current = await settings()
    const contracts = await readTree(current)
    const event = findEvent(contracts, name)
    if (event === undefined) throw usageError(`there is no event ${name}`, 'evt schema list shows the events')
    const earlier = await readBase(options.against, current, contracts)
    const key = eventKey(event)
    const before =
      earlier.events?.find((one) => eventKey(one) === key)?.data ?? dataOf(earlier.versions.get(key)?.at(-1)?.schema)
    if (before === undefined) {
      output.record({ event: event.type, version: event.version, new: true })
      output.line(`${key} is new: ${earlier.name} does not have it.`)
      return exitCodes.ok
    }
    const changes = diffRecords(before, event.data)
    for (const change of changes) {
      output.record({ event: event.type, version: event.version, ...change })
      output.line(
        `${marks[change.change]} ${change.path === '' ? event.type : change.path}: ${words[change.change]}${change.what}`,
      )
    }
    if (changes.length === 0) output.note(`${key} is as it is in ${earlier.name}.`)
    return exitCodes.ok
  },
}

const marks = { added: '+', removed: '-', renamed: '~', changed: '~' } as const
const words = { added: 'new, ', removed: 'gone; was ', renamed: '', changed: '' } as const

/** What is inside an envelope. */
function dataOf(envelope: import('@evtkit/sdk/avro').AvroRecord | undefined) {
  const data = envelope?.fields.find(({ name }) => name === 'data')?.type
  return data?.kind === 'record' ? data : undefined
}
