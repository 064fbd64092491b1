import { expect, test } from 'vitest'
import { boundedFetch, type FetchRequest } from './kafkajs-bounded-fetches.ts'

const mebibyte = 1024 * 1024

const request = (...partitions: number[]): FetchRequest => ({
  maxWaitTime: 250,
  maxBytes: 10 * mebibyte,
  topics: [
    {
      topic: 't',
      partitions: partitions.map((partition) => ({ partition, fetchOffset: '0', maxBytes: mebibyte })),
    },
  ],
})

const limits = (bounded: FetchRequest) => bounded.topics.flatMap((t) => t.partitions.map(({ maxBytes }) => maxBytes))
const order = (bounded: FetchRequest) => bounded.topics.flatMap((t) => t.partitions.map(({ partition }) => partition))

test('a partition alone is asked for more than one of many', () => {
  expect(limits(boundedFetch(request(0), 64 * mebibyte, 0))).toEqual([4 * mebibyte])
  expect(limits(boundedFetch(request(0, 1, 2, 3, 4), 64 * mebibyte, 0))).toEqual(Array(5).fill(2 * mebibyte))
  const many = Array.from({ length: 40 }, (_, partition) => partition)
  expect(limits(boundedFetch(request(...many), 64 * mebibyte, 0))).toEqual(Array(40).fill(mebibyte))
})

test('no more is asked for than there is room', () => {
  const bounded = boundedFetch(request(0, 1), 1000, 0)
  expect(bounded.maxBytes).toBe(1000)
  expect(limits(bounded)).toEqual([1000, 1000])
  expect(bounded.maxWaitTime).toBe(250)
})

test('each turn begins with another partition', () => {
  expect(order(boundedFetch(request(0, 1, 2), mebibyte, 0))).toEqual([0, 1, 2])
  expect(order(boundedFetch(request(0, 1, 2), mebibyte, 1))).toEqual([1, 2, 0])
  expect(order(boundedFetch(request(0, 1, 2), mebibyte, 5))).toEqual([2, 0, 1])
})
