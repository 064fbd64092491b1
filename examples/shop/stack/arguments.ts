import { parseArgs } from 'node:util'
import { type MemberName, memberNames } from './part.ts'
import { UsageError } from './stack-error.ts'

/** What the command line asks for. */
export type StackCommand = { readonly data?: string } & (
  | { readonly command: 'help' }
  | { readonly command: 'up'; readonly ports: Ports; readonly codec?: 'json' | 'avro' }
  | { readonly command: 'status'; readonly json: boolean }
  | { readonly command: 'down'; readonly clean: boolean; readonly graceMs: number }
  | { readonly command: 'restart'; readonly member: MemberName; readonly graceMs: number }
  | { readonly command: 'kill'; readonly member: MemberName; readonly signal: NodeJS.Signals }
  | { readonly command: 'order'; readonly count: number; readonly ratePerSecond?: number; readonly json: boolean }
)

/** Ports that were named; the others are free ones. */
export type Ports = Readonly<Partial<Record<MemberName, number>>>

/** How long a service may take to end in an orderly way. Milliseconds. */
export const defaultGraceMs = 15_000

const signals = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGSTOP', 'SIGCONT'] as const

const flags = {
  help: { type: 'boolean', short: 'h' },
  data: { type: 'string' },
  json: { type: 'boolean' },
  clean: { type: 'boolean' },
  grace: { type: 'string' },
  signal: { type: 'string' },
  count: { type: 'string' },
  rate: { type: 'string' },
  'gateway-port': { type: 'string' },
  'kafka-port': { type: 'string' },
  'postgres-port': { type: 'string' },
  'registry-port': { type: 'string' },
  codec: { type: 'string' },
} as const

type Flag = keyof typeof flags

const allowed: Readonly<Record<string, readonly Flag[]>> = {
  up: ['gateway-port', 'kafka-port', 'postgres-port', 'registry-port', 'codec'],
  status: ['json'],
  down: ['clean', 'grace'],
  restart: ['grace'],
  kill: ['signal'],
  order: ['count', 'rate', 'json'],
}

/**
 * Reads the command line.
 *
 * @throws UsageError for a command, flag or value that does not exist.
 */
export function parseArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): StackCommand {
  const { values, positionals } = parse(argv)
  const [command, ...operands] = positionals
  const data = values.data ?? environment.STACK_DATA
  const common = data === undefined ? {} : { data }
  if (values.help || command === 'help') return { ...common, command: 'help' }
  if (command === undefined) throw new UsageError('A command is missing.')
  const mayHave = allowed[command]
  if (mayHave === undefined) throw new UsageError(`There is no command "${command}".`)
  for (const flag of Object.keys(values)) {
    // `parseArgs` returns only the flags of its table.
    if (flag !== 'data' && !mayHave.includes(flag as Flag)) throw new UsageError(`"${command}" takes no --${flag}.`)
  }
  const takes = command === 'restart' || command === 'kill' ? 1 : 0
  const extra = operands[takes]
  if (extra !== undefined)
    throw new UsageError(
      `"${command}" does not know what to do with "${extra}". Options need a -- before them: npm run stack -- ${command} --option ${extra}`,
    )
  const graceMs = values.grace === undefined ? defaultGraceMs : wholeNumber('--grace', values.grace, 0, 600_000)
  const json = values.json ?? false
  switch (command) {
    case 'up':
      return { ...common, command, ports: ports(values, environment), ...codec(values.codec, environment.SHOP_CODEC) }
    case 'status':
      return { ...common, command, json }
    case 'down':
      return { ...common, command, clean: values.clean ?? false, graceMs }
    case 'restart':
      return { ...common, command, member: memberOf(command, operands[0]), graceMs }
    case 'kill':
      return { ...common, command, member: memberOf(command, operands[0]), signal: signalOf(values.signal) }
    default:
      return {
        ...common,
        command: 'order',
        count: wholeNumber('--count', values.count ?? '20', 1, 1_000_000),
        ...(values.rate !== undefined && { ratePerSecond: wholeNumber('--rate', values.rate, 1, 100_000) }),
        json,
      }
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: true, strict: true })
  } catch (error) {
    // The messages of `parseArgs` name the flag; their second sentence explains a rule of its own that does not help here.
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
    throw new UsageError(`${said.replace(/\.$/, '')}.`)
  }
}

function memberOf(command: string, name: string | undefined): MemberName {
  const choice = `one of ${memberNames.join(', ')}`
  if (name === undefined) throw new UsageError(`"${command}" needs the name of a part: ${choice}.`)
  const member = memberNames.find((candidate) => candidate === name)
  if (member === undefined) throw new UsageError(`There is no part "${name}"; expected ${choice}.`)
  return member
}

function codec(flag: string | undefined, variable: string | undefined): { readonly codec?: 'json' | 'avro' } {
  const name = flag ?? variable
  if (name === undefined || name === '') return {}
  if (name === 'json' || name === 'avro') return { codec: name }
  throw new UsageError(`${flag === undefined ? 'SHOP_CODEC' : '--codec'} is json or avro, not "${name}".`)
}

function signalOf(text = 'SIGKILL'): NodeJS.Signals {
  const wanted = text.toUpperCase().replace(/^(SIG)?/, 'SIG')
  const signal = signals.find((name) => name === wanted)
  if (signal === undefined) throw new UsageError(`--signal is one of ${signals.join(', ')}, not "${text}".`)
  return signal
}

function ports(
  values: Partial<Record<Flag, string | boolean>>,
  environment: Readonly<Record<string, string | undefined>>,
): Ports {
  return Object.fromEntries(
    memberNames.flatMap((name): [MemberName, number][] => {
      const flag = `--${name}-port`
      // Only four members have a flag for their port; the look-up of the others finds nothing.
      const given = values[`${name}-port` as Flag]
      if (typeof given === 'string') return [[name, wholeNumber(flag, given, 1, 65_535)]]
      const variable = portVariable(name)
      const fromEnvironment = environment[variable]
      return fromEnvironment ? [[name, wholeNumber(variable, fromEnvironment, 1, 65_535)]] : []
    }),
  )
}

/** The environment variable that names the port of a member: `STACK_PORT_GATEWAY`. */
export function portVariable(name: MemberName): string {
  return `STACK_PORT_${name.toUpperCase().replaceAll('-', '_')}`
}

function wholeNumber(what: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`${what} is a whole number from ${least} to ${most}, not "${text}".`)
}
