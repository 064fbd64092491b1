import { isBusy } from '../live-work.ts'
import type { Finding } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** Whether each fault met live work, everything recovered in time, and nothing broke that was not broken on purpose. */
export function checkFaults(ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const healed = new Map(ledger.of('healed').map((event) => [event.fault, event]))
  for (const { fault, what, target, live, scenario } of ledger.of('fault')) {
    const end = healed.get(fault)
    const about = `${what} (${target})`
    if (end === undefined) findings.push({ kind: 'broken', about, message: 'was never healed', scenario })
    else if (!isBusy(live) && !isBusy(end.live))
      findings.push({ kind: 'vacuous', about, message: 'met nothing at work, so surviving it shows nothing', scenario })
    else if (end.struck === 0) findings.push({ kind: 'vacuous', about, message: 'never struck', scenario })
  }
  const recovered = new Map(ledger.of('recovered').map((event) => [event.scenario, event]))
  for (const { scenario, name, boundMs } of ledger.of('scenario')) {
    const end = recovered.get(scenario)
    if (end === undefined) findings.push({ kind: 'broken', about: name, message: 'did not come to its end', scenario })
    else if (end.left !== undefined)
      findings.push({
        kind: 'slow',
        about: name,
        message: `had not recovered after ${end.afterMs} ms: ${end.left}`,
        scenario,
      })
    else if (end.afterMs > boundMs)
      findings.push({
        kind: 'slow',
        about: name,
        message: `recovered after ${end.afterMs} ms, which must not take more than ${boundMs}`,
        scenario,
      })
    if (!ledger.of('fault').some((event) => event.scenario === scenario))
      findings.push({ kind: 'vacuous', about: name, message: 'had no fault', scenario })
  }
  for (const { promise, scenario } of ledger.of('broken'))
    findings.push({ kind: 'broken', about: 'a promise', message: promise, scenario })
  for (const { program, code, signal, asked, scenario } of ledger.of('exit'))
    if (!asked)
      findings.push({
        kind: 'broken',
        about: program,
        message: `ended by itself (${signal ?? `exit code ${code}`})`,
        scenario,
      })
  return findings
}
