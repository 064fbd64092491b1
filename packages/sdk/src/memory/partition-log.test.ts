import { expect, test } from 'vitest'
import type { RawMessage } from '../core/message.ts'
import { PartitionLog, sizeOf } from './partition-log.ts'

const message = (value: string): RawMessage => ({ topic: 't', key: null, value: Buffer.from(value), headers: [] })
const filled = (...values: string[]) => {
  const log = new PartitionLog('t', 0)
  for (const value of values) log.append(message(value), 1)
  return log
}
const texts = (log: PartitionLog, offset: bigint, most: number) =>
  log.read(offset, most).map(({ offset: at, message: { value } }) => `${at}:${value}`)

test('offsets count from zero and go on after records were deleted', () => {
  const log = filled('a', 'b', 'c')
  log.deleteBefore(2n)
  log.append(message('d'), 1)
  expect([log.low, log.high]).toEqual([2n, 4n])
  expect(texts(log, 2n, 10)).toEqual(['2:c', '3:d'])
})

test('deleting beyond the end empties the log, and below the start changes nothing', () => {
  const log = filled('a', 'b')
  log.deleteBefore(99n)
  expect([log.low, log.high]).toEqual([2n, 2n])
  log.deleteBefore(1n)
  expect([log.low, log.high]).toEqual([2n, 2n])
})

test('a read is limited in records and in bytes, and gives at least one', () => {
  const log = filled('a', 'b', 'c')
  expect(texts(log, 1n, 1)).toEqual(['1:b'])
  const large = filled('x'.repeat(3_000_000), 'y'.repeat(3_000_000), 'z')
  expect(large.read(0n, 10)).toHaveLength(1)
  expect(filled('x'.repeat(5_000_000)).read(0n, 10)).toHaveLength(1)
})

test('what a reader does to its bytes stays with it', () => {
  const log = filled('first')
  log.read(0n, 1)[0]?.message.value?.write('XXXXX')
  expect(texts(log, 0n, 1)).toEqual(['0:first'])
})

test('the timestamp is the sender’s, or else the log’s', () => {
  const log = new PartitionLog('t', 0)
  log.append({ ...message('a'), timestamp: 5 }, 9)
  log.append(message('b'), 9)
  expect(log.records.map((record) => record.message.timestamp)).toEqual([5, 9])
})

test('the size of a record counts key, value and headers', () => {
  expect(
    sizeOf({ topic: 't', key: Buffer.from('kk'), value: Buffer.from('vvv'), headers: [['name', Buffer.from('text')]] }),
  ).toBe(13)
})
