import { expect, test } from 'vitest'
import { median, percentile, ratios } from './statistics.ts'

test('the median of an odd number of values is the one in the middle, whatever their order', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([100, 20, 3])).toBe(20)
})

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('of no values there is no median and no percentile', () => {
  expect(median([])).toBeNaN()
  expect(percentile([], 0.5)).toBeNaN()
})

test('a percentile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(percentile(hundred, 0.5)).toBe(50)
  expect(percentile(hundred, 0.99)).toBe(99)
  expect(percentile([7], 0.01)).toBe(7)
})

test('a ratio compares with the baseline of the same round', () => {
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3])
})
