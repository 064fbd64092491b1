/** The one suite that every transport passes. */
import type { ConformanceCase } from './conformance.ts'
import { consumingCases } from './consuming-cases.ts'
import { edgeCases } from './edge-cases.ts'
import { groupCases } from './group-cases.ts'
import { positionCases } from './position-cases.ts'
import { sendingCases } from './sending-cases.ts'
import { topicCases } from './topic-cases.ts'

/**
 * What {@link Transport} promises, one case for each promise.
 *
 * @example
 * for (const { name, run } of transportConformance) test(name, () => run(harness))
 */
export const transportConformance: readonly ConformanceCase[] = [
  ...sendingCases,
  ...consumingCases,
  ...groupCases,
  ...positionCases,
  ...topicCases,
  ...edgeCases,
]
