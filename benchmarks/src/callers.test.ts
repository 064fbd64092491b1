import { expect, test } from 'vitest'
import { runCallers } from './callers.ts'

test('callers run at once, each waits for its own answer, and every call has a number of its own', async () => {
  let running = 0
  let most = 0
  const numbers: number[] = []
  const sample = await runCallers(3, { number: 1, durationMs: 20 }, async (n) => {
    numbers.push(n)
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    running--
  })
  expect(most).toBe(3)
  expect(sample.messages).toBe(numbers.length)
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('the warm-up lasts until there were enough calls', async () => {
  const sample = await runCallers(100, { number: 0, durationMs: 20 }, () => Promise.resolve())
  expect(sample.messages).toBeGreaterThanOrEqual(5000)
})

test('a call that fails ends the round with its error', async () => {
  const failing = () => Promise.reject(new Error('the broker is gone'))
  await expect(runCallers(2, { number: 1, durationMs: 20 }, failing)).rejects.toThrow('the broker is gone')
})
