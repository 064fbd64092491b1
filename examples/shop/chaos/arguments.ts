import { parseArgs } from 'node:util'

/** What the command line asks for. */
export type ChaosCommand =
  | { readonly command: 'help' }
  | { readonly command: 'list'; readonly json: boolean }
  | {
      readonly command: 'run'
      readonly seed: string
      /** Without it, every scenario once. */
      readonly minutes: number | undefined
      /** By name or by the letter of a fault; empty for all. */
      readonly scenarios: readonly string[]
      readonly json: boolean
      readonly data: string | undefined
    }

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError for a flag or value that does not exist */
export function parseArguments(argv: readonly string[], newSeed: () => string): ChaosCommand {
  const { values } = parse(argv)
  if (values.help) return { command: 'help' }
  if (values.list) return { command: 'list', json: values.json ?? false }
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  if (minutes !== undefined && !(minutes > 0 && minutes <= 24 * 60))
    throw new UsageError(`--minutes is a number above 0 and up to ${24 * 60}, not "${values.minutes}".`)
  return {
    command: 'run',
    seed: values.seed ?? newSeed(),
    minutes,
    scenarios: (values.scenario ?? []).flatMap((names) => names.split(',')).filter((name) => name !== ''),
    json: values.json ?? false,
    data: values.data,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        list: { type: 'boolean' },
        seed: { type: 'string' },
        minutes: { type: 'string' },
        scenario: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        data: { type: 'string' },
      },
      strict: true,
    })
  } catch (error) {
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
    throw new UsageError(`${said.replace(/\.$/, '')}.`)
  }
}
