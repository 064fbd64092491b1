import { type Clock, silentLogger, systemClock } from '@evtkit/sdk'
import { expect, test, vi } from 'vitest'
import { PendingWatch } from './pending-watch.ts'

/** A clock whose timers go off when they are told to. */
const heldClock = () => {
  const timers = new Set<() => void>()
  const clock: Clock = {
    ...systemClock,
    after(_ms, callback) {
      timers.add(callback)
      return { cancel: () => timers.delete(callback) }
    },
  }
  const ring = () => {
    for (const callback of [...timers]) {
      timers.delete(callback)
      callback()
    }
  }
  return { clock, ring, timers }
}

test('what is pending is looked after again and again, also after a look that failed', async () => {
  const { clock, ring, timers } = heldClock()
  const check = vi
    .fn<(signal: AbortSignal) => Promise<void>>()
    .mockRejectedValueOnce(new Error('away'))
    .mockResolvedValue()
  const watch = new PendingWatch({ clock, logger: silentLogger, everyMs: 1000, check })
  watch.start()
  ring()
  await vi.waitFor(() => expect(timers.size).toBe(1))
  ring()
  await vi.waitFor(() => expect(timers.size).toBe(1))
  expect(check).toHaveBeenCalledTimes(2)
  await watch.close()
  expect(timers.size).toBe(0)
})

test('closing gives a look under way up and waits for it', async () => {
  const { clock, ring } = heldClock()
  let seen: AbortSignal | undefined
  const watch = new PendingWatch({
    clock,
    logger: silentLogger,
    everyMs: 1000,
    check: (signal) =>
      new Promise((_, reject) => {
        seen = signal
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  })
  watch.start()
  ring()
  await watch.close()
  expect(seen?.aborted).toBe(true)
})
