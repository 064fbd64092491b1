import { existsSync } from 'node:fs'
import { basename, relative, resolve } from 'node:path'
import { Option } from 'commander'
import { type CommandSpec, exitCodes, type Invocation } from '../command.ts'
import { usageError } from '../command-error.ts'
import { cliVersion } from '../program.ts'

export const init: CommandSpec = {
  path: 'init',
  summary: 'make a service that runs: topic, event, producer, consumer and test',
  description: `Writes the contracts in schemas/, the TypeScript generated from them, a producer, a consumer, a program and a
test that passes after npm install. Nothing is overwritten; a package.json that is there gets what it lacks.`,
  args: [['[folder]', 'where to write (default: here)']],
  options: [
    new Option('--name <name>', 'name of the service (default: of the folder)'),
    new Option('--sdk <spec>', 'what npm installs for @evtkit/sdk: a version, or file:… for a local build'),
    new Option('--cli <spec>', 'the same for @evtkit/cli'),
    new Option('--local-stack <spec>', 'the same for @evtkit/local-stack, which the CLI needs'),
  ],
  examples: [
    ['evt init orders', 'Makes the folder orders with a service in it.'],
    ['evt init . --name order-service', 'Adds it to this folder.'],
  ],
  async run(invocation) {
    const { options, output } = invocation
    const asked = await answers(invocation)
    if (asked === undefined) return exitCodes.interrupted
    const folder = resolve(asked.folder)
    const name = asked.name ?? packageName(basename(folder))
    if (!/^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/.test(name) || name.length > 214)
      throw usageError(`${JSON.stringify(name)} is no name for a package`, 'evt init --name <lower-case-name>')
    const { writeScaffold } = await import('../scaffold/write-scaffold.ts')
    const written = await writeScaffold(folder, {
      name,
      packages: {
        '@evtkit/sdk': text(options.sdk) ?? cliVersion(),
        '@evtkit/cli': text(options.cli) ?? cliVersion(),
      },
      extra: typeof options.localStack === 'string' ? { '@evtkit/local-stack': options.localStack } : {},
    })
    for (const path of written) {
      output.record({ written: path })
      output.line(`+ ${path}`)
    }
    const here = relative(process.cwd(), folder)
    output.note(`Next:${here === '' ? '' : `\n  cd ${here}`}\n  npm install\n  npm test\n  npm start`)
    return exitCodes.ok
  },
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

interface Answers {
  readonly folder: string
  readonly name: string | undefined
}

/** Asks for what was not said, where somebody can be asked. `undefined` when that somebody gave up. */
async function answers({ args, options, output }: Invocation): Promise<Answers | undefined> {
  const name = text(options.name)
  const [folder] = args
  if (folder !== undefined || name !== undefined || output.json || process.stdin.isTTY !== true || !output.terminal)
    return { folder: folder ?? '.', name }
  const { isCancel, text: ask } = await import('@clack/prompts')
  const where = await ask({
    message: 'In which folder?',
    initialValue: existsSync('package.json') ? '.' : './order-service',
    validate: (value) => (value === undefined || value.trim() === '' ? 'Name a folder; . is this one' : undefined),
  })
  if (isCancel(where)) return undefined
  const called = await ask({
    message: 'What is the service called?',
    initialValue: packageName(basename(resolve(where))),
  })
  return isCancel(called) ? undefined : { folder: where, name: called }
}

/** The nearest name that npm takes. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
  return name === '' ? 'service' : name
}
