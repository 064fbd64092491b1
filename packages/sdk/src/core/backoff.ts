/** How waits grow between attempts. */
export interface Backoff {
  /** Wait after the first failure. Milliseconds. @default 100 */
  readonly initialMs?: number
  /** Longest wait before jitter. Milliseconds. @default 30000 */
  readonly maxMs?: number
}

/**
 * Milliseconds to wait after `attempt` failures (1 for the first): doubled each time up to the limit, then lengthened by
 * up to half at random, so that many that failed together do not come back together. Jitter never shortens a wait.
 */
export function backoffMs(
  attempt: number,
  random: () => number,
  { initialMs = 100, maxMs = 30_000 }: Backoff = {},
): number {
  const base = Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(base * (1 + random() / 2))
}
