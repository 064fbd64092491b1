import { readFileSync } from 'node:fs'
import { Command, type Option } from 'commander'
import type { CommandSpec } from './command.ts'
import { globalOptions } from './global-options.ts'

export { exitCodes } from './command.ts'

/** What a command line asks for: the command, and what was given to it. */
export interface Request {
  readonly spec: CommandSpec
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
}

/** One line for each word that only groups commands. */
const groupSummaries: Readonly<Record<string, string>> = {
  schema: 'schemas: check, register and look at them',
  topics: 'topics: compare the contracts with the cluster, and make it so',
  dev: 'Kafka, PostgreSQL and a schema registry on this computer',
}

export function cliVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

const ending = `
Exit codes:
  0    done
  1    failed, or found nothing
  2    wrong usage or settings
  3    a check did not pass
  130  interrupted

Results go to standard output, progress and errors to standard error.`

/**
 * The `evt` command. `onRequest` is told what was asked for; nothing runs in here.
 *
 * @param asked the first word of the command line, when only what it needs is to be built
 */
export function createProgram(
  specs: readonly CommandSpec[],
  onRequest: (request: Request) => void,
  asked?: string,
): Command {
  const program = framed(new Command('evt'))
    .description('The command for event-driven services on Apache Kafka: for the people who write, run and mend them.')
    .version(cliVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', ending)
  // After a command's name its own options count, so that it may have one of the same name as a global one.
  program.enablePositionalOptions()
  addOptions(program, globalOptions())

  const groups = new Map<string, Command>()
  for (const spec of specs) {
    const words = spec.path.split(' ')
    const name = words.pop() ?? ''
    let parent = program
    for (const [i, word] of words.entries()) {
      const path = words.slice(0, i + 1).join(' ')
      let group = groups.get(path)
      if (group === undefined) {
        group = framed(parent.command(word)).helpCommand(false)
        group.description(
          groupSummaries[path] ??
            `${path}: ${specs
              .filter((other) => other.path.startsWith(`${path} `))
              .map((other) => other.path.slice(path.length + 1))
              .join(', ')}`,
        )
        group.enablePositionalOptions()
        addOptions(
          group,
          globalOptions().map((option) => option.hideHelp()),
        )
        groups.set(path, group)
      }
      parent = group
    }
    // Of the others only the names are looked at, and making all options of all commands takes as long as the rest.
    if (asked === undefined || spec.path.split(' ')[0] === asked || asked === 'help')
      addCommand(parent, name, spec, onRequest)
    else if (parent === program) addName(parent, name, spec)
  }
  return program
}

function addCommand(parent: Command, name: string, spec: CommandSpec, onRequest: (request: Request) => void): void {
  const command = framed(parent.command(name))
  command.summary(spec.summary)
  command.description(spec.description === undefined ? `${spec.summary}.` : `${spec.summary}.\n\n${spec.description}`)
  for (const [form, says] of spec.args ?? []) command.argument(form, says)
  const own = spec.options ?? []
  addOptions(command, own)
  addOptions(
    command,
    globalOptions().filter((option) => !own.some((other) => other.long === option.long)),
  )
  const examples = spec.examples.map(([line, says]) => `  ${line}\n      ${says}`).join('\n')
  command.addHelpText('after', `\nExamples:\n${examples}`)
  command.action(() => {
    const options: Record<string, unknown> = {}
    // The nearest to the command wins; what was only given a default by commander does not hide what was said before.
    for (let at: Command | null = command; at !== null; at = at.parent)
      for (const [key, value] of Object.entries(at.opts()))
        if (
          !(key in options) ||
          (command.getOptionValueSource(key) === 'default' && at.getOptionValueSource(key) === 'cli')
        )
          options[key] = value
    onRequest({ spec, args: command.args, options })
  })
}

function addName(parent: Command, name: string, { summary, args = [] }: CommandSpec): void {
  const command = parent.command(name).summary(summary).helpOption(false)
  for (const [form, says] of args) command.argument(form, says)
}

function framed(command: Command): Command {
  return command
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: () => {} })
    .configureHelp({ subcommandTerm })
    .allowExcessArguments(false)
    .exitOverride()
}

/** Every command has options, so that is not worth saying. */
function subcommandTerm(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...args].join(' ')
}

function addOptions(command: Command, options: readonly Option[]): void {
  for (const option of options) command.addOption(option)
}
