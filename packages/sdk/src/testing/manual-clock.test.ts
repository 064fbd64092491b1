import { expect, test } from 'vitest'
import { pause } from '../core/clock.ts'
import { createManualClock } from './manual-clock.ts'

test('time stands still until it is told to go on', async () => {
  const clock = createManualClock({ now: 1000 })
  expect([clock.now(), clock.monotonic()]).toEqual([1000, 0])
  await clock.advance(50)
  expect([clock.now(), clock.monotonic()]).toEqual([1050, 50])
})

test('timers run at their own time, in the order of those times, equal ones as they were set', async () => {
  const clock = createManualClock()
  const ran: string[] = []
  const timer = (name: string, ms: number) => clock.after(ms, () => ran.push(`${name}@${clock.monotonic()}`))
  timer('late', 30)
  timer('early', 10)
  timer('also early', 10)
  timer('not yet', 31)
  await clock.advance(30)
  expect(ran).toEqual(['early@10', 'also early@10', 'late@30'])
  expect(clock.pending).toBe(1)
})

test('what a timer sets runs too when it falls due within the advance', async () => {
  const clock = createManualClock()
  const ran: number[] = []
  const again = () => {
    ran.push(clock.monotonic())
    clock.after(10, again)
  }
  clock.after(10, again)
  await clock.advance(35)
  expect(ran).toEqual([10, 20, 30])
})

test('what a timer sets in motion through promises is done before the next timer', async () => {
  const clock = createManualClock()
  const ran: string[] = []
  void (async () => {
    await pause(clock, 10)
    ran.push('first')
    await pause(clock, 10)
    ran.push('second')
  })()
  clock.after(15, () => ran.push('between'))
  await clock.advance(20)
  expect(ran).toEqual(['first', 'between', 'second'])
})

test('a cancelled timer does not run', async () => {
  const clock = createManualClock()
  let ran = false
  clock
    .after(10, () => {
      ran = true
    })
    .cancel()
  await clock.advance(100)
  expect(ran).toBe(false)
})

test('time does not go back', async () => {
  await expect(createManualClock().advance(-1)).rejects.toThrow(RangeError)
})
