import { expect, test } from 'vitest'
import * as errors from './errors.ts'
import {
  BrokerUnavailableError,
  EvtError,
  errorCodes,
  HistoryGapError,
  InvalidEventError,
  InvalidRecordError,
  isEvtError,
  isRejection,
  isRetryable,
  RecordTooLargeError,
  RejectedRecordError,
  SendFailedError,
  type SendFailure,
  UndecodableRecordError,
  UnknownTopicError,
} from './errors.ts'

const message = { topic: 'order-events', key: null, value: null, headers: [] }

test('every class has a code of the list, each its own', () => {
  const samples: Record<string, unknown[]> = {
    InvalidEventError: ['OrderPlaced', []],
    InvalidRecordError: ['OrderPlaced', []],
    SendFailedError: [new Map(), 0],
    HistoryGapError: [{ topic: 't', partition: 0, committed: 1n, available: 2n, group: 'g' }],
    UnreadableBatchError: [{ topic: 't', partition: 0, offset: 1n, why: 'no codec' }],
  }
  const codes: string[] = []
  for (const [name, made] of Object.entries(errors)) {
    if (!/^[A-Z].*Error$/.test(name) || typeof made !== 'function') continue
    if (made === EvtError || made === RejectedRecordError) continue
    const error: unknown = Reflect.construct(made, samples[name] ?? ['a message'])
    if (!(error instanceof EvtError)) throw new Error(`${name} is not an EvtError`)
    expect(error.name).toBe(name)
    expect(typeof error.retryable).toBe('boolean')
    expect(isEvtError(error)).toBe(true)
    codes.push(error.code)
  }
  expect(codes.sort()).toEqual([...errorCodes].sort())
})

test('an error of another copy of the package is recognised', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('evtkit.error')]: true, retryable: false })
  expect(isEvtError(foreign)).toBe(true)
  expect(isRetryable(foreign)).toBe(false)
})

test.each([undefined, null, 'text', 1, new Error('plain'), {}])(
  '%j is not one of ours, and may be tried again',
  (value) => {
    expect(isEvtError(value)).toBe(false)
    expect(isRejection(value)).toBe(false)
    expect(isRetryable(value)).toBe(true)
  },
)

test('only errors about the record itself are rejections', () => {
  expect(isRejection(new UndecodableRecordError('x'))).toBe(true)
  expect(isRejection(new InvalidRecordError('OrderPlaced', []))).toBe(true)
  expect(isRejection(new BrokerUnavailableError('x'))).toBe(false)
})

test('the cause is kept', () => {
  const cause = new Error('socket')
  expect(new BrokerUnavailableError('gone', { cause }).cause).toBe(cause)
  expect('cause' in new BrokerUnavailableError('gone')).toBe(false)
})

test('a failed send can be tried again only when all that failed can', () => {
  const passing: SendFailure = { message, error: new BrokerUnavailableError('down') }
  const lasting: SendFailure = { message, error: new RecordTooLargeError('large') }
  expect(new SendFailedError(new Map([[0, passing]]), 2).retryable).toBe(true)
  expect(
    new SendFailedError(
      new Map([
        [0, passing],
        [1, lasting],
      ]),
      2,
    ).retryable,
  ).toBe(false)
})

test('messages say what came and where', () => {
  expect(new SendFailedError(new Map([[1, { message, error: new UnknownTopicError('nope') }]]), 3).message).toContain(
    '1 of 3',
  )
  expect(
    new InvalidEventError('OrderPlaced', [
      { path: 'lines.0.quantity', message: 'expected number' },
      { path: '', message: 'expected object' },
    ]).message,
  ).toContain('data.lines.0.quantity: expected number; data: expected object')
  expect(
    new HistoryGapError({ topic: 't', partition: 3, committed: 5n, available: 9n, group: 'billing' }).message,
  ).toMatch(/billing.*5.*t\/3.*9/)
})
