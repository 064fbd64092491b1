import { CommanderError } from 'commander'
import { type CommandSpec, type ExitCode, exitCodes } from './command.ts'
import { explainError } from './explain-error.ts'
import { loadSettings } from './load-settings.ts'
import { nearest } from './nearest.ts'
import { createProgram, type Request } from './program.ts'
import type { Settings } from './settings.ts'
import { createOutput, type TextStream, wantsColor } from './stream-output.ts'

/** The surroundings of one call of `evt`. */
export interface Surroundings {
  readonly specs: readonly CommandSpec[]
  /** Without the program and the script. */
  readonly argv: readonly string[]
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly signal: AbortSignal
}

/** Runs one command line to its end. Never rejects: what fails is printed. */
export async function runCommandLine(surroundings: Surroundings): Promise<ExitCode> {
  const { specs, argv, stdout, stderr, env, cwd, signal } = surroundings
  let request: Request | undefined
  const program = createProgram(
    specs,
    (asked) => {
      request = asked
    },
    // An option may have a value, so what follows it need not be the command.
    argv.length === 1 || argv[0]?.startsWith('-') === false ? argv[0] : undefined,
  )
  const streams = {
    writeOut: (text: string) => void stdout.write(text),
    writeErr: (text: string) => void stderr.write(text),
    outputError: () => {},
  }
  const commands = [program]
  for (const command of commands) {
    command.configureOutput(streams)
    commands.push(...command.commands)
  }
  if (argv[0] === 'complete') {
    const { printCompletions } = await import('./completion.ts')
    await printCompletions(specs, argv.slice(argv[1] === '--' ? 2 : 1), env, cwd)
    return exitCodes.ok
  }
  if (argv.length === 0) {
    program.outputHelp()
    return exitCodes.ok
  }
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version end here too, with the exit code 0; help that nobody asked for tells what is missing.
    if (error.exitCode === 0) return exitCodes.ok
    if (error.code !== 'commander.help') stderr.write(usageText(error, specs, argv))
    return exitCodes.usage
  }
  if (request === undefined) return exitCodes.usage
  return run(request, { stdout, stderr, env, cwd, signal })
}

async function run(
  { spec, args, options }: Request,
  { stdout, stderr, env, cwd, signal }: Omit<Surroundings, 'specs' | 'argv'>,
): Promise<ExitCode> {
  const json = options.json === true
  const color = !json && wantsColor(stdout, env, options.color === false ? false : undefined)
  const output = createOutput({ stdout, stderr, json, color })
  let settings: Promise<Settings> | undefined
  try {
    const code = await spec.run({
      args,
      options,
      output,
      signal,
      settings: () => {
        settings ??= loadSettings(settingOptions(options), env, cwd)
        return settings
      },
    })
    return signal.aborted ? exitCodes.interrupted : code
  } catch (error) {
    if (signal.aborted) return exitCodes.interrupted
    const { what, why, next, code, exitCode } = explainError(error)
    const errors = createOutput({
      stdout: stderr,
      stderr,
      json,
      color: !json && wantsColor(stderr, env, options.color === false ? false : undefined),
    })
    if (json) errors.record({ error: { command: spec.path, ...(code !== undefined && { code }), what, why, next } })
    else {
      const { style } = errors
      errors.note(`${style.red(`evt ${spec.path} failed:`)} ${what}`)
      for (const reason of why) errors.note(`  why:  ${reason}`)
      if (next !== undefined) errors.note(`  next: ${next}`)
    }
    if (env.EVT_DEBUG && error instanceof Error) errors.note(error.stack ?? error.message)
    return exitCode
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function settingOptions(options: Readonly<Record<string, unknown>>) {
  return {
    config: text(options.config),
    context: text(options.context),
    schemas: text(options.schemas),
    brokers: text(options.brokers),
    registry: text(options.registry),
    database: text(options.database),
  }
}

/** What commander found wrong, and where to look. A command that is elsewhere in the tree is named in full. */
function usageText(error: CommanderError, specs: readonly CommandSpec[], argv: readonly string[]): string {
  let message = error.message.trim()
  const words = argv.filter((word) => !word.startsWith('-'))
  if (error.code === 'commander.unknownCommand') {
    const guesses = guessCommands(words, specs)
    // In place of commander's own guess, which looks at one level of the tree only.
    message = message.split('\n')[0] ?? message
    if (guesses.length > 0) message += `\n(Did you mean ${guesses.map((path) => `evt ${path}`).join(' or ')}?)`
  }
  const command =
    [...words.keys()]
      .map((i) => words.slice(0, words.length - i).join(' '))
      .find((path) => specs.some((spec) => spec.path === path || spec.path.startsWith(`${path} `))) ?? ''
  return `${message}\nRun evt ${command === '' ? '' : `${command} `}--help to see what there is.\n`
}

function guessCommands(words: readonly string[], specs: readonly CommandSpec[]): readonly string[] {
  const paths = specs.map(({ path }) => path)
  const [first = ''] = words
  // `check` for `schema check`: people leave out the group.
  const ending = paths.filter((path) => path.split(' ').at(-1) === first)
  if (ending.length > 0) return ending
  const groups = new Set(paths.flatMap((path) => (path.includes(' ') ? (path.split(' ')[0] ?? []) : [])))
  const near = nearest(words.slice(0, 2).join(' '), paths) ?? nearest(first, [...groups, ...paths])
  return near === undefined ? [] : [near]
}
