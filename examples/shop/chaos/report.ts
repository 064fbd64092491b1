import type { Evidence } from './checker/evidence.ts'
import { type Finding, type FindingKind, findingKinds } from './checker/finding.ts'
import { handledAgain } from './checker/handled-again.ts'
import { Ledger } from './checker/ledger.ts'
import type { HistoryEvent } from './history.ts'
import { isBusy, type LiveWork } from './live-work.ts'

/** What one scenario showed. */
export interface ScenarioResult {
  readonly place: number
  readonly scenario: string
  readonly faults: readonly string[]
  readonly strikes: readonly StrikeResult[]
  /** Deliveries of an event that had been handled before. */
  readonly handledAgain: number
  /** Records that repeat an event. */
  readonly repeatedRecords: number
  readonly recoveredMs: number | undefined
  /** Of each kind how many; all must be 0. */
  readonly findings: Readonly<Record<FindingKind, number>>
}

/** One fault: what it met, and how often it struck where that can be counted. */
export interface StrikeResult {
  readonly what: string
  readonly target: string
  readonly inFlight: LiveWork
  readonly struck: number | undefined
}

/** The results in the order of the schedule. */
export function scenarioResults(
  history: readonly HistoryEvent[],
  evidence: Evidence,
  findings: readonly Finding[],
): ScenarioResult[] {
  const ledger = new Ledger(history)
  const again = handledAgain(evidence, ledger)
  const repeated = repeatedRecords(evidence, ledger)
  const recovered = new Map(ledger.of('recovered').map((event) => [event.scenario, event.afterMs]))
  const healed = new Map(ledger.of('healed').map((event) => [event.fault, event]))
  return ledger.of('scenario').map(({ scenario: place, name, faults }) => ({
    place,
    scenario: name,
    faults,
    strikes: ledger
      .of('fault')
      .filter((event) => event.scenario === place)
      .map(({ fault, what, target, live }) => {
        const end = healed.get(fault)
        // What heaps up later is of interest only where nothing was there to be struck at first.
        return { what, target, inFlight: isBusy(live) ? live : (end?.live ?? live), struck: end?.struck }
      }),
    handledAgain: again.get(place) ?? 0,
    repeatedRecords: repeated.get(place) ?? 0,
    recoveredMs: recovered.get(place),
    findings: countByKind(findings.filter((finding) => finding.scenario === place)),
  }))
}

function repeatedRecords({ records }: Evidence, ledger: Ledger): Map<number, number> {
  const seen = new Set<string>()
  const counts = new Map<number, number>()
  // By time, so that the later one counts as the copy.
  for (const { event, timestamp } of records.toSorted((a, b) => a.timestamp - b.timestamp)) {
    if (event === undefined) continue
    const scenario = ledger.scenarioAt(timestamp)
    if (seen.has(event.eventId) && scenario !== undefined) counts.set(scenario, (counts.get(scenario) ?? 0) + 1)
    seen.add(event.eventId)
  }
  return counts
}

export function countByKind(findings: readonly Finding[]): Record<FindingKind, number> {
  // Safe: every kind gets a count.
  const counts = Object.fromEntries(findingKinds.map((kind) => [kind, 0])) as Record<FindingKind, number>
  for (const { kind } of findings) counts[kind]++
  return counts
}

/** The results for people: a line per scenario, then what was found. */
export function formatReport(results: readonly ScenarioResult[], findings: readonly Finding[]): string {
  const headings = [
    'scenario',
    'faults',
    'in flight at each fault',
    'handled again',
    'lost',
    'twice',
    'disorder',
    'unexplained',
    'other',
    'recovered in',
  ]
  const rows = results.map((result) => [
    result.scenario,
    result.faults.join(' '),
    result.strikes.map(formatStrike).join('; '),
    String(result.handledAgain),
    String(result.findings.lost),
    String(result.findings['applied twice']),
    String(result.findings['out of order']),
    String(result.findings.unexplained),
    String(result.findings.books + result.findings.vacuous + result.findings.slow + result.findings.broken),
    result.recoveredMs === undefined ? '-' : `${(result.recoveredMs / 1000).toFixed(1)} s`,
  ])
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const found = findings.slice(0, 50).map(({ kind, about, message, scenario }) => {
    const where = results.find(({ place }) => place === scenario)
    return `${kind}: ${about} ${message}${where === undefined ? '' : ` (${where.place}. ${where.scenario})`}`
  })
  if (findings.length > found.length) found.push(`and ${findings.length - found.length} more`)
  return [...table, '', ...found].join('\n')
}

/** Such as `orders 3r 1u 2q`: records not committed, events not sent, requests not answered. */
export function formatStrike({ target, inFlight, struck }: StrikeResult): string {
  const { records, unsent, requests } = inFlight
  return `${target} ${records}r ${unsent}u ${requests}q${struck === undefined ? '' : ` x${struck}`}`
}
