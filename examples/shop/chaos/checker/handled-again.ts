import { readers } from '../readers.ts'
import type { Evidence } from './evidence.ts'
import type { Ledger } from './ledger.ts'

/**
 * How many deliveries of events that had been handled already there were, by scenario: all that the mirror of the carts was
 * handed again, and what a killed service had handled and not committed.
 */
export function handledAgain({ records, inbox, deliveries }: Evidence, ledger: Ledger): Map<number, number> {
  const counts = new Map<number, number>()
  const count = (scenario: number | undefined) => {
    if (scenario !== undefined) counts.set(scenario, (counts.get(scenario) ?? 0) + 1)
  }
  const seen = new Set<string>()
  for (const { eventId, at } of deliveries) {
    if (seen.has(eventId)) count(ledger.scenarioAt(at))
    seen.add(eventId)
  }
  const handled = new Map(inbox.map((event) => [`${event.group} ${event.eventId}`, event.handledAt]))
  for (const fault of ledger.of('fault'))
    for (const [group, positions] of Object.entries(fault.positions ?? {})) {
      // Its deliveries are counted above.
      if (group === 'cart-mirror') continue
      for (const { topic, partition, offset, event } of records) {
        if (event === undefined || readers[group]?.[topic] === undefined) continue
        const at = handled.get(`${group} ${event.eventId}`)
        if (at !== undefined && at <= fault.at && offset >= (positions[`${topic}/${partition}`] ?? 0))
          count(fault.scenario)
      }
    }
  return counts
}
