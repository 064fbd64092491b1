import { expect, test } from 'vitest'
import type { Delivery } from './message.ts'
import { PartitionProgress } from './partition-progress.ts'

const delivery = (offset: bigint): Delivery => ({
  message: { topic: 't', key: null, value: null, headers: [] },
  partition: 0,
  offset,
  group: 'g',
  attempt: 1,
  replay: null,
})

test('attempts count failures, and start over after a success', () => {
  const progress = new PartitionProgress(1)
  expect(progress.attempt(delivery(5n)).attempt).toBe(1)
  progress.failed(5n, new Error('one'), 100)
  progress.failed(5n, new Error('two'), 300)
  expect(progress.attempt(delivery(5n)).attempt).toBe(3)
  expect(progress.isClean).toBe(false)
  progress.succeeded(5n)
  expect(progress.attempt(delivery(5n)).attempt).toBe(1)
  expect(progress.isClean).toBe(true)
})

test('a failed record is due at its own time, and the wait is that of the first', () => {
  const progress = new PartitionProgress(1)
  expect(progress.retryInMs(0)).toBe(0)
  progress.failed(5n, new Error('x'), 500)
  progress.failed(7n, new Error('y'), 200)
  expect(progress.isDue(5n, 499)).toBe(false)
  expect(progress.isDue(5n, 500)).toBe(true)
  expect(progress.isDue(6n, 0)).toBe(true)
  expect(progress.retryInMs(50)).toBe(150)
  expect(progress.retryInMs(9000)).toBe(1)
})

test('a failed record whose call still runs is not due, and is not what the wait is for', () => {
  const progress = new PartitionProgress(1)
  progress.abandoned(5n)
  progress.failed(5n, new Error('x'), 100)
  expect(progress.isDue(5n, 5000)).toBe(false)
  expect(progress.retryInMs(5000)).toBe(Number.POSITIVE_INFINITY)
  progress.failed(7n, new Error('y'), 5200)
  expect(progress.retryInMs(5000)).toBe(200)
  progress.returned(5n)
  expect(progress.isDue(5n, 5000)).toBe(true)
})

test('names the oldest record that keeps failing', () => {
  const progress = new PartitionProgress(1)
  expect(progress.blockedBy).toBeUndefined()
  progress.failed(7n, new Error('later'), 0)
  progress.failed(5n, new Error('older'), 0)
  expect(progress.blockedBy).toMatchObject({ offset: 5n, attempts: 1, error: { message: 'older' } })
})

test('remembers what is finished beyond the offset, beyond the batch too', () => {
  const progress = new PartitionProgress(1)
  progress.rememberFinished([5n, 9n], 9n)
  progress.rememberFinished([6n], 7n)
  expect([5n, 6n, 9n].map((offset) => progress.isFinished(offset))).toEqual([false, true, true])
})
