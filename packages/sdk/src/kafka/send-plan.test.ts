import { expect, test } from 'vitest'
import type { RawMessage } from '../core/message.ts'
import { type Chunk, firstPartitionLast, halves, recordBytes, SendPlan, unanswered } from './send-plan.ts'

const message = (value: string, topic = 't'): RawMessage => ({
  topic,
  key: null,
  value: Buffer.from(value),
  headers: [],
})

const chunk = (partition: number, ...values: string[]): Chunk => ({
  topic: 't',
  partition,
  messages: values.map((value) => message(value)),
  places: values.map((_, i) => i),
  bytes: values.length,
})

const shape = (chunks: readonly Chunk[]) =>
  chunks.map(({ topic, partition, messages }) => `${topic}/${partition}:${messages.map(({ value }) => value)}`)

test('messages of one partition travel together, in order, with the places they came from', () => {
  const plan = new SendPlan(10_000)
  const order: [string, number][] = [
    ['a', 0],
    ['b', 1],
    ['c', 0],
  ]
  for (const [place, [value, partition]] of order.entries()) plan.add(message(value), place, partition, 50)
  expect(plan.rounds.map(shape)).toEqual([['t/0:a,c', 't/1:b']])
  expect(plan.rounds[0]?.[0]?.places).toEqual([0, 2])
})

test('what does not fit into one batch of the broker goes in a later round', () => {
  const plan = new SendPlan(220)
  for (const [place, value] of ['a', 'b', 'c', 'd', 'e'].entries()) plan.add(message(value), place, 0, 50)
  plan.add(message('f'), 5, 1, 50)
  expect(plan.rounds.map(shape)).toEqual([['t/0:a,b', 't/1:f'], ['t/0:c,d'], ['t/0:e']])
})

test('a chunk is halved in order, down to single messages', () => {
  const [first, second] = halves(chunk(3, 'a', 'b', 'c'))
  expect(shape([first, second])).toEqual(['t/3:a,b', 't/3:c'])
  expect([first.places, second.places]).toEqual([[0, 1], [2]])
})

test('only what the answer names without an error counts as written', () => {
  const chunks = [chunk(0, 'a'), chunk(1, 'b'), chunk(2, 'c')]
  const answers = [
    { topic: 't', partition: 0, errorCode: 0 },
    { topic: 't', partition: 1, errorCode: 6 },
    { topic: 'other', partition: 2, errorCode: 0 },
  ]
  expect(shape(unanswered(chunks, answers))).toEqual(['t/1:b', 't/2:c'])
})

test('a partition that fails lets the others go first, and keeps its own order', () => {
  const queue = [chunk(0, 'a'), chunk(1, 'b'), chunk(0, 'c'), chunk(2, 'd')]
  expect(shape(firstPartitionLast(queue))).toEqual(['t/1:b', 't/2:d', 't/0:a', 't/0:c'])
  expect(firstPartitionLast([])).toEqual([])
})

test('the size of a record counts its key, value and headers', () => {
  const bytes = recordBytes({
    topic: 't',
    key: Buffer.alloc(10),
    value: Buffer.alloc(100),
    headers: [['name', Buffer.alloc(1000)]],
  })
  expect(bytes).toBeGreaterThanOrEqual(1114)
  expect(bytes).toBeLessThan(1200)
})
