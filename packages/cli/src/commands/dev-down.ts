import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { chosenServers, dataFolder, dataOption, locateServer, onlyOption } from '../dev-stack.ts'

export const devDown: CommandSpec = {
  path: 'dev down',
  summary: 'end the servers of evt dev up',
  description:
    'Their data stays and is there again at the next start, unless --remove-data is given. Servers that somebody else runs are left alone.',
  options: [onlyOption(), dataOption(), new Option('--remove-data', 'also remove what they hold')],
  examples: [
    ['evt dev down', 'Ends them; records, tables and schemas are kept.'],
    ['evt dev down --remove-data', 'Ends them and begins anew next time.'],
  ],
  async run({ output, options, settings }) {
    const known = await settings()
    const ended = await Promise.all(
      chosenServers(options.only).map(async (name) => {
        const server = await locateServer(name, dataFolder(known, options.data, name))
        if (server === undefined || server.origin === 'external') return { server: name, ended: false }
        await server.stop({ removeData: options.removeData === true })
        output.note(`${name} has ended.`)
        return { server: name, ended: true }
      }),
    )
    for (const one of ended) output.record(one)
    if (!ended.some((one) => one.ended)) output.note('Nothing was running.')
    return exitCodes.ok
  },
}
