import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { connectRegistry, readTree } from '../connect.ts'

export const schemaList: CommandSpec = {
  path: 'schema list',
  summary: 'list the events of the contracts, or the subjects of the registry',
  description:
    'Lists each version of each event with its topic; --json tells its subject and file as well. With --registered it asks the registry for the id and version of each, empty where the schema as it is now is not registered. With --subjects it lists what the registry has, ours or not.',
  options: [
    new Option('--registered', 'ask the registry for the id and version of each'),
    new Option('--subjects', 'list the subjects of the registry').conflicts('registered'),
  ],
  examples: [
    ['evt schema list', 'Lists the events.'],
    ['evt schema list --registered --json', 'Which events are registered, as JSON.'],
  ],
  async run({ options, output, settings }) {
    const current = await settings()
    if (options.subjects === true) {
      const registry = await connectRegistry(current)
      try {
        const rows = []
        for (const subject of await registry.subjects())
          rows.push({ subject, versions: (await registry.versions(subject)).length })
        output.table([column('subject'), column('versions')], rows)
        return exitCodes.ok
      } finally {
        await registry.close()
      }
    }
    const { findRegistered, subjectAndDocument } = await import('@evtkit/sdk/contracts')
    const contracts = await readTree(current)
    const registry = options.registered === true ? await connectRegistry(current) : undefined
    try {
      const rows = []
      for (const event of contracts.events) {
        const { subject, document } = subjectAndDocument(event)
        const found = registry === undefined ? undefined : await findRegistered(registry, subject, document)
        rows.push({
          event: event.type,
          version: event.version,
          topic: event.topic.name,
          fields: event.data.fields.length,
          subject,
          file: event.file,
          ...(registry !== undefined && { id: found?.id ?? null, subjectVersion: found?.version ?? null }),
        })
      }
      output.table(
        [
          ...['event', 'version', 'topic', 'fields'].map(column),
          ...(registry === undefined ? [] : [column('id'), { key: 'subjectVersion', title: 'registered as' }]),
        ],
        rows,
      )
      return exitCodes.ok
    } finally {
      await registry?.close()
    }
  },
}

const column = (key: string) => ({ key, title: key })
