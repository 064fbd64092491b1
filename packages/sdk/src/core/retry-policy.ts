import type { Backoff } from './backoff.ts'
import { InvalidConfigurationError } from './errors.ts'

/**
 * Picks errors: by `code` (ours such as `EVT_RECORD_TOO_LARGE`, a SQLSTATE such as `23505`, a system's such as `ECONNREFUSED`),
 * or by a function. An error also matches by what caused it.
 */
export type ErrorMatch = string | ((error: unknown) => boolean)

/** When a failed event is tried again in place, while its key waits and other keys go on. */
export interface RetryPolicy extends Backoff {
  /**
   * Attempts in place, the first one included; after the last, whoever takes over failed events has it.
   * @default 5 when somebody takes over, for ever when nobody does
   */
  readonly attempts?: number
  /** No attempt begins in place later than this after the first failure. Milliseconds. @default 60000 */
  readonly maxElapsedMs?: number
  /**
   * Errors that no later attempt can mend: the event is given up at the first one. Errors with `retryable: false` are that
   * already. @default []
   */
  readonly final?: readonly ErrorMatch[]
  /**
   * What this consumer depends on besides its broker, database and registry: by name, the errors which say that it is down.
   * Such an error is an outage: it counts for nothing, the consumer pauses and probes. A `DependencyUnavailableError`
   * says the same without being listed. @default {}
   */
  readonly outages?: Readonly<Record<string, readonly ErrorMatch[]>>
}

/** Whether an error, or what caused it, is picked by one of `matches`. */
export function matchesError(error: unknown, matches: readonly ErrorMatch[]): boolean {
  return causes(error).some((one) =>
    matches.some((match) => (typeof match === 'function' ? match(one) : codeOf(one) === match)),
  )
}

/** An error and what caused it, outermost first. Bounded, since a cause may lead back to its error. */
export function causes(error: unknown): unknown[] {
  const found: unknown[] = []
  let current = error
  while (current !== undefined && current !== null && found.length < 8) {
    found.push(current)
    current = typeof current === 'object' && 'cause' in current ? current.cause : undefined
  }
  return found
}

/** The code that an error carries, if any. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** @throws InvalidConfigurationError when the policy cannot work. */
export function mustBePolicy(policy: RetryPolicy, whose: string): void {
  const { attempts, maxElapsedMs, initialMs, maxMs } = policy
  if (attempts !== undefined && attempts !== Number.POSITIVE_INFINITY && !(Number.isInteger(attempts) && attempts >= 1))
    throw new InvalidConfigurationError(
      `${whose}: retry.attempts must be a whole number from 1 up (1 is no retry in place), got ${attempts}`,
    )
  for (const [name, value] of Object.entries({ maxElapsedMs, initialMs, maxMs }))
    if (value !== undefined && !(value > 0))
      throw new InvalidConfigurationError(
        `${whose}: retry.${name} must be a number of milliseconds above 0, got ${value}`,
      )
}

/** How long a policy can hold an event in place at most: all waits with their jitter, and each attempt to its deadline. Milliseconds. */
export function spanInPlaceMs(
  { attempts = 5, maxElapsedMs = 60_000, maxMs = 30_000 }: RetryPolicy,
  deadlineMs: number,
): number {
  // The last attempt may begin just before the limit, after the longest wait, and take its whole deadline.
  return attempts === 1 ? deadlineMs : maxElapsedMs + maxMs * 1.5 + deadlineMs
}
