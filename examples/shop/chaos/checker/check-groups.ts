import { readers } from '../readers.ts'
import { type Evidence, type LoggedRecord, placeOf } from './evidence.ts'
import type { Finding } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** Whether every group has handled everything that it reads, each event once and those of a key in order. */
export function checkGroups({ records, inbox, rejected }: Evidence, ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const handled = new Map<string, number>()
  for (const { group, eventId, handledAt } of inbox) {
    const name = `${group} ${eventId}`
    if (handled.has(name))
      findings.push({
        kind: 'applied twice',
        about: `group ${group}`,
        message: `has handled event ${eventId} by two handlers`,
        scenario: ledger.scenarioAt(handledAt),
      })
    handled.set(name, handledAt)
  }
  const aside = new Set(rejected.map((record) => `${record.group} ${placeOf(record)}`))
  const truncated = ledger.of('truncated')
  const copies = new Set(ledger.of('injected').map(placeOf))
  for (const [group, topics] of Object.entries(readers))
    for (const [topic, types] of Object.entries(topics)) {
      const isRemoved = ({ partition, offset }: LoggedRecord) =>
        truncated.some(
          (cut) =>
            cut.group === group &&
            cut.topic === topic &&
            cut.partition === partition &&
            offset >= cut.from &&
            offset < cut.to,
        )
      const seen = new Set<string>()
      const last = new Map<string, { readonly at: number; readonly record: LoggedRecord }>()
      for (const record of records) {
        if (record.topic !== topic || record.event === undefined || !types.includes(record.event.eventType)) continue
        const { eventId, eventType } = record.event
        if (seen.has(eventId) || copies.has(placeOf(record))) continue
        seen.add(eventId)
        const at = handled.get(`${group} ${eventId}`)
        if (at === undefined) {
          if (!aside.has(`${group} ${placeOf(record)}`) && !isRemoved(record))
            findings.push({
              kind: 'lost',
              about: `group ${group}`,
              message: `has never handled ${eventType} ${eventId} at ${placeOf(record)}`,
              scenario: ledger.scenarioAt(record.timestamp),
            })
          continue
        }
        const before = last.get(record.key ?? '')
        if (before !== undefined && before.at > at)
          findings.push({
            kind: 'out of order',
            about: `group ${group}`,
            message: `has handled ${placeOf(record)} before ${placeOf(before.record)}, of the same key`,
            scenario: ledger.scenarioAt(at),
          })
        last.set(record.key ?? '', { at, record })
      }
    }
  return findings
}
