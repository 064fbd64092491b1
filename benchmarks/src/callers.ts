import type { Round, Sample } from './case.ts'
import { startMeasuring } from './cpu.ts'
import { percentile } from './statistics.ts'

/** Code that ran less often is not compiled yet, and a slow machine would measure that. */
const warmCalls = 5000

/**
 * Runs `count` callers for the time of a round: each does `once` again as soon as the last time was answered.
 * `n` counts up over all callers. The warm-up goes on, up to ten times as long, until there were enough calls.
 */
export async function runCallers(
  count: number,
  round: Round,
  once: (n: number, caller: number) => Promise<unknown>,
): Promise<Sample> {
  const latencies: number[] = []
  let next = 0
  const measured = startMeasuring()
  const start = performance.now()
  const deadline = start + round.durationMs
  const latest = start + round.durationMs * (round.number === 0 ? 10 : 1)
  const call = async (caller: number) => {
    let startedAt = performance.now()
    while (startedAt < deadline || (startedAt < latest && next < warmCalls)) {
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
