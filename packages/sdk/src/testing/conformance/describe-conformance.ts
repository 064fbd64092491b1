import type { ConformanceCase, ConformanceHarness } from './conformance.ts'

/** What is needed of a test runner; the ones of vitest and of Node fit as they are. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  readonly test: {
    (name: string, body: () => Promise<void>): unknown
    skip(name: string, body: () => Promise<void>): unknown
  }
}

/**
 * Makes a test of each case. One that needs what the harness cannot do is skipped, with the reason in its name.
 *
 * @example
 * describeConformance({ describe, test }, 'the memory broker', transportConformance, harness)
 */
export function describeConformance(
  { describe, test }: TestRunner,
  name: string,
  cases: readonly ConformanceCase[],
  harness: ConformanceHarness,
): void {
  describe(name, () => {
    for (const { name: sentence, needs, run } of cases) {
      if (needs !== undefined && !harness.abilities.has(needs.ability))
        test.skip(`${sentence} (not here: needs ${needs.ability}, ${needs.because})`, () => run(harness))
      else test(sentence, () => run(harness))
    }
  })
}
