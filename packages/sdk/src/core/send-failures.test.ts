import { expect, test } from 'vitest'
import { RecordTooLargeError } from './errors.ts'
import type { RawMessage } from './message.ts'
import { SendFailures } from './send-failures.ts'

const message = (key: string | null, topic = 'orders'): RawMessage => ({
  topic,
  key: key === null ? null : Buffer.from(key),
  value: null,
  headers: [],
})
const tooLarge = new RecordTooLargeError('too large')

test('what follows a failed message of its topic and key is held back, what precedes it is not', () => {
  const failures = new SendFailures()
  failures.add(3, message('a'), tooLarge)
  expect(failures.holdBack(2, message('a'))).toBe(false)
  expect(failures.holdBack(4, message('b'))).toBe(false)
  expect(failures.holdBack(5, message('a', 'payments'))).toBe(false)
  expect(failures.holdBack(6, message('a'))).toBe(true)
  expect([...failures.byPlace].map(([place, { code }]) => [place, code])).toEqual([
    [3, 'EVT_RECORD_TOO_LARGE'],
    [6, 'EVT_HELD_BACK'],
  ])
})

test('other calls in the same batch are not held back', () => {
  const failures = new SendFailures([0, 2, 5])
  failures.add(2, message('a'), tooLarge)
  expect(failures.holdBack(1, message('a'))).toBe(false)
  expect(failures.holdBack(4, message('a'))).toBe(true)
  expect(failures.holdBack(5, message('a'))).toBe(false)
})

test('messages without a key have no order to keep', () => {
  const failures = new SendFailures()
  failures.add(0, message(null), tooLarge)
  expect(failures.holdBack(1, message(null))).toBe(false)
})
