/** `npm run chaos`: bad days for the shop, and a checker that looks whether every promise was kept. */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LocalStackError } from '@evtkit/local-stack'
import { parseArguments, UsageError } from './arguments.ts'
import { runChaos } from './chaos-run.ts'
import { formatReport, scenarioResults } from './report.ts'
import { scenarios } from './scenarios/index.ts'
import { usage } from './usage.ts'

const print = (text: string) => process.stdout.write(`${text}\n`)
const complain = (text: string) => process.stderr.write(`${text}\n`)

async function run(): Promise<number> {
  const command = parseArguments(process.argv.slice(2), () => String(randomInt(1_000_000_000)))
  if (command.command === 'help') {
    print(usage)
    return 0
  }
  if (command.command === 'list') {
    if (command.json) print(JSON.stringify(scenarios.map(({ name, faults, about }) => ({ name, faults, about }))))
    else
      for (const { name, faults, about } of scenarios)
        print(`${name.padEnd(28)} ${faults.join(' ').padEnd(8)} ${about}`)
    return 0
  }
  const chosen = choose(command.scenarios)
  const folder = command.data === undefined ? mkdtempSync(join(tmpdir(), 'evtkit-chaos-')) : resolve(command.data)
  complain(`Seed ${command.seed}. History, logs and data are in ${folder}.`)
  const ending = new AbortController()
  process.once('SIGINT', () => ending.abort(new Error('interrupted')))
  process.once('SIGTERM', () => ending.abort(new Error('told to end')))
  const outcome = await runChaos({
    seed: command.seed,
    scenarios: chosen,
    ...(command.minutes !== undefined && { forMs: command.minutes * 60_000 }),
    folder,
    progress: complain,
    signal: ending.signal,
  })
  const results = scenarioResults(outcome.history, outcome.evidence, outcome.findings)
  const { findings, evidence } = outcome
  writeFileSync(
    join(folder, 'findings.json'),
    `${JSON.stringify({ seed: command.seed, results, findings }, null, 2)}\n`,
  )
  if (command.json) print(JSON.stringify({ seed: command.seed, folder, results, findings }))
  else {
    print(formatReport(results, findings))
    print(
      `${evidence.orders.length} orders, ${evidence.applied.length} pieces in carts, ${evidence.records.length} records; seed ${command.seed}.`,
    )
    print(findings.length === 0 ? 'Every promise was kept.' : `${findings.length} findings. Look into ${folder}.`)
  }
  if (findings.length > 0) return 1
  if (command.data === undefined) rmSync(folder, { recursive: true, force: true })
  return ending.signal.aborted ? 130 : 0
}

function choose(names: readonly string[]) {
  if (names.length === 0) return scenarios
  return names.flatMap((name) => {
    const found = scenarios.filter((scenario) => scenario.name === name || scenario.faults.includes(name.toUpperCase()))
    if (found.length === 0) throw new UsageError(`There is no scenario "${name}"; --list shows what there is.`)
    return found
  })
}

try {
  process.exitCode = await run()
} catch (error) {
  if (error instanceof UsageError) {
    complain(`${error.message}\n"npm run chaos -- --help" shows what there is.`)
    process.exitCode = 2
  } else if (error instanceof LocalStackError) {
    complain(error.message)
    process.exitCode = 1
  } else throw error
}
