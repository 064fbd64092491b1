import { existsSync } from 'node:fs'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'
import { readTree } from '../connect.ts'
import { withKafka } from '../with-kafka.ts'

export const topicsList: CommandSpec = {
  path: 'topics list',
  summary: 'list the topics of the cluster',
  description: 'With their partitions, copies, retention and cleanup, and the owner of those that the contracts know.',
  options: [new Option('--limit <count>', 'at most so many').default('200')],
  examples: [
    ['evt topics list --brokers localhost:9092', 'Lists the topics of a broker on this computer.'],
    ['evt topics list --json', 'The same, one JSON line per topic; durations in milliseconds, -1 for ever.'],
  ],
  async run(invocation) {
    const { output, settings, options } = invocation
    const { retentionText } = await import('@evtkit/sdk/contracts')
    const limit = wholeNumber(options.limit)
    const { schemas } = await settings()
    const owners = new Map(
      existsSync(schemas) ? (await readTree(await settings())).topics.map(({ name, owner }) => [name, owner]) : [],
    )
    const { details, total } = await withKafka(invocation, async (kafka) => {
      const names = (await kafka.listTopics()).map(({ name }) => name).sort()
      return { details: await kafka.describeTopics(names.slice(0, limit)), total: names.length }
    })
    const rows = details.map((topic) => ({ ...topic, owner: owners.get(topic.name) ?? null }))
    output.table(
      [
        { key: 'name', title: 'topic' },
        { key: 'partitions', title: 'partitions' },
        { key: 'replicas', title: 'copies' },
        { key: output.json ? 'retentionMs' : 'retention', title: 'retention' },
        { key: 'cleanup', title: 'cleanup' },
        { key: 'owner', title: 'owner' },
      ],
      output.json ? rows : rows.map((row) => ({ ...row, retention: retentionText(row.retentionMs) })),
    )
    if (total > rows.length) output.note(`${total - rows.length} more; --limit ${total} lists all`)
    return exitCodes.ok
  },
}

function wholeNumber(value: unknown): number {
  const count = Number(value)
  if (!Number.isInteger(count) || count < 1)
    throw usageError(`--limit needs a whole number from 1 up, got ${JSON.stringify(value)}`)
  return count
}
