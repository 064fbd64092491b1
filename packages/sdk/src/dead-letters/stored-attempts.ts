import type { FailedAttempt } from '../core/failed-events.ts'

/** How many attempts are kept of an event; all of them are counted. */
export const maxAttemptsKept = 50

const maxCodeLength = 100
const maxTextLength = 2000

/** The attempts of an event with one more, as they are kept: the first ones are dropped when they become too many. */
export function withAttempt(attempts: readonly FailedAttempt[], attempt: FailedAttempt): readonly FailedAttempt[] {
  return [...attempts, attempt].slice(-maxAttemptsKept)
}

/** Attempts as a `jsonb` column takes them. */
export function attemptsJson(attempts: readonly FailedAttempt[]): string {
  return JSON.stringify(
    attempts.slice(-maxAttemptsKept).map(({ at, code, message, stack }) => ({
      at,
      code: storable(code, maxCodeLength),
      message: storable(message, maxTextLength),
      stack: storable(stack, maxTextLength),
    })),
  )
}

/** Attempts as {@link attemptsJson} wrote them. */
export function parseAttempts(column: unknown): readonly FailedAttempt[] {
  // Safe: nothing else writes that column.
  return column as readonly FailedAttempt[]
}

export function storableCode(code: string): string {
  return storable(code, maxCodeLength)
}

export function storableMessage(message: string): string {
  return storable(message, maxTextLength)
}

/** Errors repeat what came from outside, and the database holds neither NUL nor half a surrogate pair. */
function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/\0|\p{Cs}/gu, '\ufffd')
}
