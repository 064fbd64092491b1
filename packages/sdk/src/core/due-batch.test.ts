import { expect, test } from 'vitest'
import { dueBatch } from './due-batch.ts'
import { UndecodableRecordError } from './errors.ts'
import type { FailedEventsMember, ReturnedEvent } from './failed-events.ts'
import type { Delivery } from './message.ts'
import type { Batch } from './transport.ts'

const delivery = (offset: number): Delivery => ({
  message: { topic: 't', key: null, value: null, headers: [] },
  ...{ partition: 0, offset: BigInt(offset), group: 'g', attempt: 1, replay: null },
})
const settled: bigint[] = []
const batch: Batch = {
  ...{ topic: 't', partition: 0, generation: 3, highWatermark: 9n, signal: new AbortController().signal },
  deliveries: [4, 5, 6].map(delivery),
  settle: (next) => void settled.push(next),
}
const member = (waits: (offset: number) => number | undefined): FailedEventsMember => ({
  assigned: async () => {},
  isBehind: () => false,
  returned(one): ReturnedEvent | undefined {
    const dueInMs = waits(Number(one.offset))
    return dueInMs === undefined ? undefined : { delivery: one, dueInMs }
  },
  follow: async () => 'free',
  take: async () => 'taken',
  close: async () => {},
})
const offsets = (cut: Batch | undefined) => cut?.deliveries.map(({ offset }) => Number(offset))

test('a batch ends before the first event that has to wait, and tells for how long', () => {
  const { batch: cut, restMs } = dueBatch(
    batch,
    member((offset) => (offset === 6 ? 50 : 0)),
  )
  expect([offsets(cut), restMs]).toEqual([[4, 5], 50])
  cut?.settle(5n)
  expect(settled).toEqual([5n])
})

test('nothing of a batch is handed over while its first event has to wait', () => {
  const cut = dueBatch(
    batch,
    member((offset) => (offset === 4 ? 70 : 0)),
  )
  expect(cut).toEqual({ batch: undefined, restMs: 70 })
})

test('records of other topics are looked at once for the whole batch', () => {
  let asked = 0
  const { batch: same } = dueBatch(
    batch,
    member(() => {
      asked++
      return undefined
    }),
  )
  expect(same).toBe(batch)
  expect(asked).toBe(1)
})

test('what is no event at all is due, so that it is set aside', () => {
  const { batch: cut } = dueBatch(
    batch,
    member((offset) => {
      if (offset === 4) throw new UndecodableRecordError('nothing of ours')
      return offset === 6 ? 9 : 0
    }),
  )
  expect(offsets(cut)).toEqual([4, 5])
})
