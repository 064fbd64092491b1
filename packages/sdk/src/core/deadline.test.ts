import { expect, test } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { DeadlineWatch } from './deadline.ts'

test('what takes too long expires, at most a tenth late, and only once', async () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  const expired: number[] = []
  await clock.advance(50)
  deadlines.watch(() => expired.push(clock.monotonic()))
  await clock.advance(5000)
  expect(expired).toHaveLength(1)
  expect(expired[0]).toBeGreaterThanOrEqual(1050)
  expect(expired[0]).toBeLessThanOrEqual(1150)
})

test('what ended in time does not expire', async () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  let expired = false
  const watched = deadlines.watch(() => {
    expired = true
  })
  await clock.advance(900)
  deadlines.release(watched)
  await clock.advance(5000)
  expect(expired).toBe(false)
})

test('later ones keep their own time', async () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  const expired: string[] = []
  deadlines.watch(() => expired.push('first'))
  await clock.advance(600)
  deadlines.watch(() => expired.push('second'))
  await clock.advance(600)
  expect(expired).toEqual(['first'])
  await clock.advance(600)
  expect(expired).toEqual(['first', 'second'])
})

test('holds no timer when nothing is watched or it is closed', async () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  expect(clock.pending).toBe(0)
  const watched = deadlines.watch(() => {})
  deadlines.release(watched)
  await clock.advance(1000)
  expect(clock.pending).toBe(0)
  deadlines.watch(() => {})
  deadlines.close()
  expect(clock.pending).toBe(0)
})

test('everything can be expired at once', () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  let expired = 0
  for (let i = 0; i < 3; i++) deadlines.watch(() => expired++)
  expect(deadlines.expireAll()).toBe(3)
  expect(deadlines.expireAll()).toBe(0)
  expect(expired).toBe(3)
  deadlines.close()
})

test('one timer serves all, also when what expires begins to watch something else', async () => {
  const clock = createManualClock()
  const deadlines = new DeadlineWatch(clock, 1000)
  deadlines.watch(() => deadlines.watch(() => deadlines.watch(() => {})))
  await clock.advance(2500)
  expect(clock.pending).toBe(1)
  deadlines.close()
})
