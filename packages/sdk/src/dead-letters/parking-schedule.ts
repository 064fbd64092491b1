import { backoffMs } from '../core/backoff.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import type { ParkingLimits, ParkingRetry } from './parking.ts'

/** When parked events are tried again, and when they are given up. */
export interface ParkingSchedule {
  /** From the first to the last attempt, at most. Milliseconds. */
  readonly spanMs: number
  /** Milliseconds to wait after `retries` attempts that parking made. */
  waitMs(retries: number): number
  /** Whether an event gets no further attempt. */
  isOver(retries: number, ageMs: number): boolean
}

/** @throws InvalidConfigurationError when a number makes no sense. */
export function parkingSchedule(retry: ParkingRetry, random: () => number): ParkingSchedule {
  const { initialMs = 10_000, maxMs = 600_000, attempts = 20, maxAgeMs = Number.POSITIVE_INFINITY } = retry
  mustBePositive('retry.initialMs', initialMs)
  mustBePositive('retry.maxMs', maxMs)
  mustBePositive('retry.maxAgeMs', maxAgeMs, true)
  mustBeCount('retry.attempts', attempts)
  const waitMs = (retries: number) => backoffMs(retries + 1, random, { initialMs, maxMs })
  // Nothing at random here: the longest that each wait can be.
  let longestMs = 0
  for (let retries = 0; retries < attempts; retries++)
    longestMs += backoffMs(retries + 1, () => 1, { initialMs, maxMs })
  return {
    spanMs: Math.min(longestMs, maxAgeMs + maxMs * 1.5),
    waitMs,
    isOver: (retries, ageMs) => retries >= attempts || ageMs >= maxAgeMs,
  }
}

/** @throws InvalidConfigurationError when a limit is no whole number from 1 up. */
export function parkingLimits({ maxPerKey = 1000, maxTotal = 100_000 }: ParkingLimits): Required<ParkingLimits> {
  mustBeCount('limits.maxPerKey', maxPerKey)
  mustBeCount('limits.maxTotal', maxTotal)
  return { maxPerKey, maxTotal }
}

export function mustBeCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidConfigurationError(`${name} must be a whole number from 1 up, got ${value}`)
}

function mustBePositive(name: string, value: number, endless = false): void {
  if (!(value > 0) || (!endless && !Number.isFinite(value)))
    throw new InvalidConfigurationError(`${name} must be a number of milliseconds above 0, got ${value}`)
}
