import { expect, test } from 'vitest'
import type { ShopFact } from '../load/fact-log.ts'
import { FactQueue } from './fact-queue.ts'

const fact = (eventId: string, atMs: number, causationId: string | null = null): ShopFact => ({
  eventId,
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: new Date(atMs).toISOString(),
  source: 'order-service',
  correlationId: 'c',
  causationId,
  data: { orderId: 'o' },
  metadata: {},
})
const ids = (facts: readonly ShopFact[]) => facts.map((each) => each.eventId)

test('facts pass in the order in which they happened, whatever order they came in', () => {
  const queue = new FactQueue(100)
  for (const each of [fact('b', 20, 'a'), fact('c', 30, 'b'), fact('a', 10)]) queue.add(each)
  expect(ids(queue.take(200))).toEqual(['a', 'b', 'c'])
})

test('a fact is held for a moment, for those that happened before it', () => {
  const queue = new FactQueue(100)
  queue.add(fact('a', 10))
  expect(ids(queue.take(50))).toEqual([])
  expect(ids(queue.take(110))).toEqual(['a'])
})

test('a fact waits for its cause, and passes without it only when everything must', () => {
  const queue = new FactQueue(0)
  queue.add(fact('b', 20, 'a'))
  expect(ids(queue.take(500))).toEqual([])
  expect(ids(queue.drain())).toEqual(['b'])
})
