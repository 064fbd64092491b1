/** Wall-clock and CPU time of a stretch of work. */
export interface Spent {
  readonly elapsedMs: number
  readonly cpuMicros: number
}

/** Starts measuring; the function returned tells what was spent since. */
export function startMeasuring(): () => Spent {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  return () => {
    const elapsedMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpu)
    return { elapsedMs, cpuMicros: user + system }
  }
}
