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

const fail = (progress: PartitionProgress, offset: bigint, error: Error, retryAt: number) =>
  progress.failed(offset, error, { at: 0, code: 'Error', message: error.message, stack: '' }, 0, retryAt)

test('attempts count failures, and start over after a success', () => {
  const progress = new PartitionProgress(1)
  expect(progress.attempt(delivery(5n)).attempt).toBe(1)
  fail(progress, 5n, new Error('one'), 100)
  fail(progress, 5n, new Error('two'), 300)
  expect(progress.attempt(delivery(5n)).attempt).toBe(3)
  expect(progress.isClean).toBe(false)
  progress.succeeded(5n)
  expect(progress.attempt(delivery(5n)).attempt).toBe(1)
  expect(progress.isClean).toBe(true)
})

test('a failed record is due at its own time, and the wait is that of the first', () => {
  const progress = new PartitionProgress(1)
  expect(progress.retryInMs(0)).toBe(0)
  fail(progress, 5n, new Error('x'), 500)
  fail(progress, 7n, new Error('y'), 200)
  expect(progress.isDue(5n, 499)).toBe(false)
  expect(progress.isDue(5n, 500)).toBe(true)
  expect(progress.isDue(6n, 0)).toBe(true)
  expect(progress.retryInMs(50)).toBe(150)
  expect(progress.retryInMs(9000)).toBe(1)
})

test('a failed record whose call still runs is not due, and is not what the wait is for', () => {
  const progress = new PartitionProgress(1)
  progress.abandoned(5n)
  fail(progress, 5n, new Error('x'), 100)
  expect(progress.isDue(5n, 5000)).toBe(false)
  expect(progress.retryInMs(5000)).toBe(Number.POSITIVE_INFINITY)
  fail(progress, 7n, new Error('y'), 5200)
  expect(progress.retryInMs(5000)).toBe(200)
  progress.returned(5n)
  expect(progress.isDue(5n, 5000)).toBe(true)
})

test('names the oldest record that keeps failing', () => {
  const progress = new PartitionProgress(1)
  expect(progress.blockedBy()).toBeUndefined()
  fail(progress, 7n, new Error('later'), 0)
  fail(progress, 5n, new Error('older'), 0)
  expect(progress.blockedBy()).toMatchObject({ offset: 5n, attempts: 1, error: { message: 'older' } })
  expect(progress.blockedBy(true)).toBeUndefined()
  progress.postponed(7n, new Error('no table'), 0, 0)
  expect(progress.blockedBy(true)).toMatchObject({ offset: 7n, error: { message: 'no table' } })
})

test('remembers what is finished beyond the offset, beyond the batch too', () => {
  const progress = new PartitionProgress(1)
  progress.rememberFinished([5n, 9n], 9n)
  progress.rememberFinished([6n], 7n)
  expect([5n, 6n, 9n].map((offset) => progress.isFinished(offset))).toEqual([false, true, true])
})

test('waiting for what is not its fault counts no attempt, and what failed before is still known', () => {
  const progress = new PartitionProgress(1)
  progress.postponed(5n, new Error('database down'), 0, 100)
  expect(progress.attempt(delivery(5n)).attempt).toBe(1)
  expect(progress.isDue(5n, 99)).toBe(false)
  fail(progress, 5n, new Error('one'), 0)
  progress.postponed(5n, new Error('database down'), 0, 100)
  expect(progress.attempt(delivery(5n)).attempt).toBe(2)
  expect(progress.postponements(5n)).toBe(2)
  expect(progress.failures(5n)?.history.map(({ message }) => message)).toEqual(['one'])
})

test('of a record that fails very often the first attempt and the last ones are kept', () => {
  const progress = new PartitionProgress(1)
  for (let i = 1; i <= 50; i++) fail(progress, 5n, new Error(`attempt ${i}`), 0)
  const messages = progress.failures(5n)?.history.map(({ message }) => message) ?? []
  expect([messages.length, messages[0], messages[1], messages.at(-1)]).toEqual([
    20,
    'attempt 1',
    'attempt 32',
    'attempt 50',
  ])
})
