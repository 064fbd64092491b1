import type { FailedAttempt } from '../core/failed-events.ts'
import { cleaned, cleanedLines } from './text-from-outside.ts'

/** Attempts at an event, as far as they are kept. */
export interface AttemptList {
  /** How many there were. Never shrinks. */
  readonly count: number
  /** The first one and the latest, the oldest first; in between some may be missing. */
  readonly kept: readonly FailedAttempt[]
}

export const noAttempts: AttemptList = { count: 0, kept: [] }

/** Most attempts that travel with an event. */
const mostKept = 8

/** The list with `later` behind it. */
export function withAttempts(list: AttemptList, later: readonly FailedAttempt[], count: number): AttemptList {
  const all = [...list.kept, ...later]
  const kept = all.length <= mostKept ? all : [...all.slice(0, 1), ...all.slice(1 - mostKept)]
  return { count: Math.max(list.count + later.length, count), kept }
}

/** How much of the attempts is written: `all` takes some kilobytes, `least` some hundred bytes. */
export type AttemptDetail = 'all' | 'least'

/** Attempts as the value of a header. Text in it came from outside, so it is cleaned and cut. */
export function encodeAttempts({ kept }: AttemptList, detail: AttemptDetail): Buffer {
  const chosen = detail === 'all' ? kept : kept.slice(-1)
  const last = chosen.length - 1
  return Buffer.from(
    JSON.stringify(
      chosen.map(({ at, code, message, stack }, i) => ({
        at,
        code: cleaned(code, 100),
        message: cleaned(message, detail === 'all' ? 500 : 200),
        // One stack tells as much as eight: the last.
        stack: detail === 'all' && i === last ? cleanedLines(stack, 1000) : '',
      })),
    ),
  )
}

/** Reads what {@link encodeAttempts} wrote; `undefined` when it is something else. */
export function decodeAttempts(bytes: Buffer): FailedAttempt[] | undefined {
  const list = parsed(bytes)
  if (!Array.isArray(list) || list.length > 100) return undefined
  const attempts: FailedAttempt[] = []
  for (const one of list as readonly unknown[]) {
    if (!isAttempt(one)) return undefined
    attempts.push({ at: one.at, code: one.code, message: one.message, stack: one.stack })
  }
  return attempts
}

function isAttempt(value: unknown): value is FailedAttempt {
  if (typeof value !== 'object' || value === null) return false
  const { at, code, message, stack } = value as Partial<Record<keyof FailedAttempt, unknown>> // looked at below, one by one
  return typeof at === 'number' && typeof code === 'string' && typeof message === 'string' && typeof stack === 'string'
}

/** JSON, or `undefined` when it is none. */
export function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
