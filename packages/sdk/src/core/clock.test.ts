import { expect, test, vi } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { pause, systemClock } from './clock.ts'

test('a pause lasts as long as it was asked for', async () => {
  const clock = createManualClock()
  let over = false
  const pausing = pause(clock, 100).then(() => {
    over = true
  })
  await clock.advance(99)
  expect(over).toBe(false)
  await clock.advance(1)
  expect(over).toBe(true)
  await pausing
})

test('a pause ends early with its signal, without an error and without a timer left', async () => {
  const clock = createManualClock()
  const signal = new AbortController()
  const pausing = pause(clock, 100, signal.signal)
  expect(clock.pending).toBe(1)
  signal.abort()
  await pausing
  expect(clock.pending).toBe(0)
  await pause(clock, 100, signal.signal)
  expect(clock.pending).toBe(0)
})

test("the computer's clock waits longer than a single timer can, unless cancelled", () => {
  vi.useFakeTimers()
  try {
    const dayMs = 24 * 3_600_000
    const calls: string[] = []
    systemClock.after(60 * dayMs, () => calls.push('after sixty days'))
    const never = systemClock.after(Number.POSITIVE_INFINITY, () => calls.push('never'))
    vi.advanceTimersByTime(60 * dayMs - 1)
    expect(calls).toEqual([])
    vi.advanceTimersByTime(1)
    expect(calls).toEqual(['after sixty days'])
    never.cancel()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test("the computer's clock calls back once, unless cancelled", async () => {
  const calls: string[] = []
  systemClock.after(1, () => calls.push('cancelled')).cancel()
  await new Promise<void>((resolve) => systemClock.after(1, resolve))
  expect(calls).toEqual([])
  expect(systemClock.monotonic()).toBeLessThanOrEqual(systemClock.monotonic())
})
