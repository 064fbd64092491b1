/** For tests of programs on this SDK, and of implementations of its ports. */
export type {
  Ability,
  ConformanceCase,
  ConformanceHarness,
  DumpedRecord,
} from './conformance/conformance.ts'
export { describeConformance, type TestRunner } from './conformance/describe-conformance.ts'
export { eventually } from './conformance/eventually.ts'
export { createGate, type Gate } from './conformance/gate.ts'
export { describeRegistry, registryConformance } from './conformance/registry.ts'
export type { RegistryCase, RegistryDeviation, RegistryHarness } from './conformance/registry-harness.ts'
export { transportConformance } from './conformance/transport.ts'
export { type FaultyTransport, withFaults } from './faulty-transport.ts'
export { createManualClock, type ManualClock } from './manual-clock.ts'
export { createRecordingSender, type RecordingSender } from './recording-sender.ts'
export { collectRejections, type Rejections } from './rejections.ts'
