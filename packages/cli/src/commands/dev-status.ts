import { type CommandSpec, exitCodes } from '../command.ts'
import { chosenServers, dataFolder, dataOption, locateServer, onlyOption } from '../dev-stack.ts'

export const devStatus: CommandSpec = {
  path: 'dev status',
  summary: 'tell which servers of evt dev up run, and where',
  description: 'Ends with 1 when one of them does not run.',
  options: [onlyOption(), dataOption()],
  examples: [['evt dev status', 'Lists Kafka, PostgreSQL and the schema registry with their addresses.']],
  async run({ output, options, settings }) {
    const known = await settings()
    const rows = await Promise.all(
      chosenServers(options.only).map(async (name) => {
        const server = await locateServer(name, dataFolder(known, options.data, name))
        return {
          server: name,
          running: server !== undefined,
          address: server?.address ?? null,
          origin: server?.origin ?? null,
          pid: server?.pid ?? null,
        }
      }),
    )
    const { style } = output
    output.table(
      [
        { key: 'server', title: 'server' },
        { key: 'running', title: 'state' },
        { key: 'address', title: 'address' },
        { key: 'origin', title: 'as' },
        { key: 'pid', title: 'process' },
      ],
      output.json
        ? rows
        : rows.map((row) => ({ ...row, running: row.running ? style.green('runs') : style.dim('not running') })),
    )
    if (rows.every(({ running }) => running)) return exitCodes.ok
    output.note('evt dev up starts those that do not run.')
    return exitCodes.failed
  },
}
