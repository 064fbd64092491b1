import type { TestRunner } from './describe-conformance.ts'
import { registryCompatibilityCases } from './registry-compatibility-cases.ts'
import { registryDeletionCases } from './registry-deletion-cases.ts'
import { type RegistryCase, type RegistryHarness, RegistryUnderTest } from './registry-harness.ts'
import { registrySchemaCases } from './registry-schema-cases.ts'
import { registrySubjectCases } from './registry-subject-cases.ts'

/** What every schema registry must do, as Confluent documents its API. */
export const registryConformance: readonly RegistryCase[] = [
  ...registrySubjectCases,
  ...registrySchemaCases,
  ...registryCompatibilityCases,
  ...registryDeletionCases,
]

/**
 * Makes a test of each case. Where the registry is declared to depart from the documentation, the case's name says why, and the
 * case demands what it does instead: a departure that has gone fails, so that it is no longer declared.
 *
 * @example
 * describeRegistry({ describe, test }, 'the registry in memory', registryConformance, { url: () => server.url, deviations: {} })
 */
export function describeRegistry(
  { describe, test }: TestRunner,
  name: string,
  cases: readonly RegistryCase[],
  harness: RegistryHarness,
): void {
  // A name of this run's own: the registry may have been used before, and by others.
  const run = `conf${Math.random().toString(36).slice(2, 8)}`
  describe(name, () => {
    for (const [i, { name: sentence, departs = [], run: body }] of cases.entries()) {
      const reasons = departs.flatMap((departure) => harness.deviations[departure] ?? [])
      test(reasons.length === 0 ? sentence : `${sentence} (departs: ${reasons.join('; ')})`, () =>
        body(new RegistryUnderTest(harness, `${run}-${String(i).padStart(3, '0')}`)),
      )
    }
  })
}
