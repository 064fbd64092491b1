import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const never = () => 0
const most = () => 1

test('waits double with every failure, up to the limit', () => {
  const waits = [1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, never, { initialMs: 100, maxMs: 1000 }))
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('chance lengthens a wait by up to half and never shortens it', () => {
  expect(backoffMs(1, most, { initialMs: 100 })).toBe(150)
  expect(backoffMs(1, never, { initialMs: 100 })).toBe(100)
})

test('many failures do not overflow', () => {
  expect(backoffMs(100_000, never, { initialMs: 1, maxMs: 60_000 })).toBe(60_000)
})
