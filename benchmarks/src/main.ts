import { parseArguments, usage } from './arguments.ts'
import type { Suite } from './case.ts'
import { backlogSuite } from './cases/backlog.ts'
import { codecSuite } from './cases/codec.ts'
import { consumeSuite } from './cases/consume.ts'
import { inboxSuite } from './cases/inbox.ts'
import { keysSuite } from './cases/keys.ts'
import { outboxSuite } from './cases/outbox.ts'
import { parkingSuite } from './cases/parking.ts'
import { publishSuite } from './cases/publish.ts'
import { runCase } from './harness.ts'
import { type CaseReport, formatReport, reportCase } from './report.ts'
import { createServers } from './servers.ts'

const suites: readonly Suite[] = [
  publishSuite,
  consumeSuite,
  outboxSuite,
  codecSuite,
  inboxSuite,
  keysSuite,
  backlogSuite,
  parkingSuite,
]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(usage)
    return 0
  }
  const known = suites.map(({ name }) => name)
  let options: ReturnType<typeof parseArguments>
  try {
    options = parseArguments(args, known)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
  const progress = (line: string) => void process.stderr.write(`${line}\n`)
  const servers = createServers({
    kafkaBrokers: process.env.KAFKA_BROKERS,
    databaseUrl: process.env.DATABASE_URL,
    progress,
  })
  const missed: string[] = []
  try {
    for (const suite of suites.filter(({ name }) => options.names.includes(name))) {
      const open = await suite.open(servers, options.scale)
      try {
        for (const benchmark of open.cases.filter(({ name }) => name.includes(options.only))) {
          const measured = await runCase(benchmark, { ...options, progress })
          const report = reportCase(benchmark, measured)
          process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${formatReport(report)}\n`)
          missed.push(...missedTargets(report))
        }
      } finally {
        await open.close()
      }
    }
  } finally {
    await servers.close()
  }
  for (const line of missed) progress(line)
  return options.check && missed.length > 0 ? 1 : 0
}

function missedTargets(report: CaseReport): string[] {
  return report.targets
    .filter(({ met }) => !met)
    .map(
      ({ contender, measure, wanted, reached }) =>
        `MISSED ${report.case}: ${contender} ${measure} wanted ${wanted}, got ${reached}`,
    )
}
