import type { Round, Sample } from './case.ts'
import { type Spent, startMeasuring } from './cpu.ts'

/** Between two looks at the clock, which costs as much as some of what is measured. */
const step = 500
/** The compiler looks at code several times before it leaves it alone. */
const warmCalls = 200_000

/** Calls `once` again and again for the time of a round. `n` counts up. The warm-up goes on until there were enough calls. */
export function repeat(round: Round, once: (n: number) => unknown): Sample {
  const measured = startMeasuring()
  const deadline = performance.now() + round.durationMs
  let n = 0
  while (performance.now() < deadline || isWarmingUp(round, n)) {
    for (let i = 0; i < step; i++) once(n + i)
    n += step
  }
  return { messages: n, ...alone(measured()) }
}

/** The same for what answers later: one call at a time. */
export async function repeatAwaiting(round: Round, once: (n: number) => Promise<unknown>): Promise<Sample> {
  const measured = startMeasuring()
  const deadline = performance.now() + round.durationMs
  let n = 0
  while (performance.now() < deadline || isWarmingUp(round, n)) {
    for (let i = 0; i < step; i++) await once(n + i)
    n += step
  }
  return { messages: n, ...alone(measured()) }
}

function isWarmingUp(round: Round, calls: number): boolean {
  return round.number === 0 && calls < warmCalls
}

/** Nothing here waits, so the time it takes on a computer of its own is that of the processor, and others' load does not count. */
function alone({ cpuMicros }: Spent): Spent {
  return { elapsedMs: cpuMicros / 1000, cpuMicros }
}
