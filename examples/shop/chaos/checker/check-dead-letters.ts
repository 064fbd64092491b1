import { type Evidence, placeOf } from './evidence.ts'
import type { Finding } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** Whether exactly the records that were poisoned on purpose were set aside, by every group that reads them, and nothing else. */
export function checkDeadLetters({ rejected, failed, setAside, unsent, records }: Evidence, ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const expected = new Map<string, { readonly poison: string; readonly scenario: number }>()
  for (const injected of ledger.of('injected'))
    if (injected.what === 'poison')
      for (const group of injected.groups)
        expected.set(`${group} ${placeOf(injected)}`, { poison: injected.poison, scenario: injected.scenario })
  const found = new Set(rejected.map((record) => `${record.group} ${placeOf(record)}`))
  const timestamps = new Map(records.map((record) => [placeOf(record), record.timestamp]))
  for (const record of rejected) {
    if (expected.has(`${record.group} ${placeOf(record)}`)) continue
    const at = timestamps.get(placeOf(record))
    findings.push({
      kind: 'unexplained',
      about: `group ${record.group}`,
      message: `has set aside ${placeOf(record)} (${record.reason}), and nobody poisoned it`,
      scenario: at === undefined ? undefined : ledger.scenarioAt(at),
    })
  }
  for (const [name, { poison, scenario }] of expected)
    if (!found.has(name))
      findings.push({
        kind: 'lost',
        about: 'a poisoned record',
        message: `(${poison}) was not set aside: ${name}`,
        scenario,
      })
  for (const record of failed) {
    const at = timestamps.get(placeOf(record))
    findings.push({
      kind: record.state === 'dead' ? 'unexplained' : 'lost',
      about: `group ${record.group}`,
      message: `${record.state === 'dead' ? 'has given up' : 'still has parked'} ${placeOf(record)} (${record.reason})`,
      scenario: at === undefined ? undefined : ledger.scenarioAt(at),
    })
  }
  for (const { service, topic, error } of setAside)
    findings.push({
      kind: 'unexplained',
      about: service,
      message: `its relay gave up an event for ${topic}: ${error}`,
      scenario: undefined,
    })
  for (const { service, count } of unsent)
    if (count > 0)
      findings.push({
        kind: 'lost',
        about: service,
        message: `${count} events are still in its outbox`,
        scenario: undefined,
      })
  return findings
}
