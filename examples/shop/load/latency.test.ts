import { expect, test } from 'vitest'
import { latencyOf } from './latency.ts'

test('the middle, the slow end and the slowest of a hundred times', () => {
  const times = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(latencyOf(times)).toEqual({ count: 100, p50: 50, p95: 95, max: 100 })
})

test('a single time is all of them, and none is nothing', () => {
  expect(latencyOf([7])).toEqual({ count: 1, p50: 7, p95: 7, max: 7 })
  expect(latencyOf([])).toEqual({ count: 0, p50: 0, p95: 0, max: 0 })
})
