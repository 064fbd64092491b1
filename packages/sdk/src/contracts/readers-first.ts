import { type CompatibilityBreak, checkVersions } from '../avro/compatibility-mode.ts'
import { envelopeRecord } from '../registry/envelope-record.ts'
import { about, type ContractFinding } from './contract-finding.ts'
import type { ConsumerContract, EventContract } from './contracts.ts'
import type { DataVersion } from './earlier-contracts.ts'

/**
 * Changes that a mode permits since new readers read old data, and on which the readers that run today would fail: a field
 * taken away that they cannot do without. All is well when they are deployed before whoever publishes.
 *
 * @param told what breaks anyway: a place is not told twice.
 */
export function readersFirst(
  event: EventContract,
  last: DataVersion | undefined,
  told: readonly ContractFinding[],
  consumers: readonly ConsumerContract[],
): ContractFinding[] {
  if (last === undefined) return []
  const places = new Set(told.map(({ path }) => path))
  return checkVersions({ mode: 'FORWARD', next: envelopeRecord(event.data), earlier: [last] })
    .filter(({ path }) => !places.has(path))
    .map((one) => findingOf(one, event, last, consumers))
}

function findingOf(
  { path, message, advice, against, direction, kind, fails, incompatibility }: CompatibilityBreak,
  event: EventContract,
  last: DataVersion,
  consumers: readonly ConsumerContract[],
): ContractFinding {
  const named = about(event, consumers)
  const within = incompatibility.within ?? event.data.name
  const readers =
    named.consumers.length === 0 ? `every reader of ${event.type}` : `${named.consumers.join(', ')}, and other readers`
  return {
    severity: 'warning',
    kind: 'readers-first',
    ...named,
    file: last.definedIn?.get(within)?.file ?? last.definedIn?.get(event.data.name)?.file ?? event.file,
    path,
    within,
    message: `readers that run today fail on what is published with the new schema. ${message}`,
    advice: [
      `Deploy the readers first (${readers}), with the new schema; only then what publishes ${event.type}.`,
      ...advice.map((one) => `Or: ${one}`),
    ],
    against,
    compatibility: { direction, kind, fails },
  }
}
