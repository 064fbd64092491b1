import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'
import { count } from '../count.ts'
import type { Finding } from '../diagnosis.ts'

export const doctor: CommandSpec = {
  path: 'doctor',
  summary: 'check the broker, registry, database, topics, schemas and clocks, and say what to do',
  description: `One line for each check: ok, warn (works, and should be looked at), FAIL (does not work), or - (nothing to
look at). Ends with 3 when something fails. Changes nothing.`,
  options: [new Option('--timeout <seconds>', 'the longest that one check may take').default('10')],
  examples: [
    ['evt doctor', 'Checks what the config file and the environment name.'],
    ['evt doctor --context prod --json', 'One JSON line per check, for a pipeline.'],
  ],
  async run({ output, options, settings, signal }) {
    const seconds = Number(options.timeout)
    if (!(seconds > 0))
      throw usageError(`--timeout needs a number of seconds above 0, got ${JSON.stringify(options.timeout)}`)
    const { runChecks } = await import('../diagnosis.ts')
    const { doctorChecks } = await import('../doctor-checks.ts')
    const checks = doctorChecks(await settings())
    const width = Math.max(...checks.map(({ name }) => name.length))
    const { style } = output
    const marks: Readonly<Record<Finding['state'], string>> = {
      ok: style.green('ok  '),
      warn: style.yellow('warn'),
      fail: style.red('FAIL'),
      skip: style.dim('-   '),
    }
    const running = runChecks(checks, seconds * 1000, signal)
    const states: Finding['state'][] = []
    for (const [i, { name }] of checks.entries()) {
      const finding = await running[i]
      if (finding === undefined) continue
      const { state, says, next } = finding
      states.push(state)
      output.record({ check: name, state, says, next: next ?? null })
      output.line(`${marks[state]}  ${name.padEnd(width)}  ${says.replace(/\s*\n\s*/g, ' ')}`)
      if (next !== undefined && state !== 'ok') output.line(`${' '.repeat(width + 8)}-> ${next}`)
    }
    const failed = states.filter((state) => state === 'fail').length
    if (failed > 0) output.note(`${failed} of ${count(checks.length, 'check')} failed.`)
    return failed > 0 ? exitCodes.checkFailed : exitCodes.ok
  },
}
