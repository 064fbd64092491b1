/** What a run was asked to do. */
export interface Arguments {
  /** Suites to run, in order; all of them when none is named. */
  readonly names: readonly string[]
  readonly json: boolean
  readonly check: boolean
  readonly rounds: number
  readonly durationMs: number
  /** Share of the records that cases with a number of them move. */
  readonly scale: number
  /** Only cases whose name contains this. */
  readonly only: string
}

export const usage = `npm run bench -- [name ...] [options]

  --rounds N       counted rounds of each contender, after a warm-up round (default 5)
  --duration MS    length of a round of cases that run for a time (default 2000)
  --scale SHARE    move this share of the records in cases that have a number of them (default 1)
  --only TEXT      only cases whose name contains TEXT
  --json           one JSON object per case on standard output
  --check          exit with 1 when a target is missed
`

/** Reads the command line. Throws an Error with a sentence for the user. */
export function parseArguments(args: readonly string[], known: readonly string[]): Arguments {
  const names: string[] = []
  const found = { json: false, check: false, rounds: 5, durationMs: 2000, scale: 1, only: '' }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--json') found.json = true
    else if (arg === '--check') found.check = true
    else if (arg === '--rounds') found.rounds = positive(arg, args[++i])
    else if (arg === '--duration') found.durationMs = positive(arg, args[++i])
    else if (arg === '--scale') found.scale = share(arg, args[++i])
    else if (arg === '--only') found.only = args[++i] ?? ''
    else if (known.includes(arg)) names.push(arg)
    else
      throw new Error(`unknown ${arg.startsWith('-') ? 'option' : 'benchmark'} "${arg}"; there are ${known.join(', ')}`)
  }
  return { ...found, names: names.length > 0 ? names : [...known] }
}

function positive(option: string, text: string | undefined): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} needs a whole number from 1 up, got ${text}`)
  return value
}

function share(option: string, text: string | undefined): number {
  const value = Number(text)
  if (!(value > 0 && value <= 1)) throw new Error(`${option} needs a number above 0 and up to 1, got ${text}`)
  return value
}
