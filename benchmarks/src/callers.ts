import type { Sample } from './case.ts'
import { startMeasuring } from './cpu.ts'
import { percentile } from './statistics.ts'

/**
 * Runs `count` callers for `durationMs`: each does `once` again as soon as the last time was answered.
 * `n` counts up over all callers.
 */
export async function runCallers(
  count: number,
  durationMs: number,
  once: (n: number, caller: number) => Promise<unknown>,
): Promise<Sample> {
  const latencies: number[] = []
  let next = 0
  const measured = startMeasuring()
  const deadline = performance.now() + durationMs
  const call = async (caller: number) => {
    let startedAt = performance.now()
    while (startedAt < deadline) {
      await once(next++, caller)
      const answeredAt = performance.now()
      latencies.push(answeredAt - startedAt)
      startedAt = answeredAt
    }
  }
  await Promise.all(Array.from({ length: count }, (_, caller) => call(caller)))
  const spent = measured()
  return {
    messages: latencies.length,
    ...spent,
    latency: { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) },
  }
}
