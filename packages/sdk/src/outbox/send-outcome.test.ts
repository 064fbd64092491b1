import { describe, expect, test } from 'vitest'
import { textMessage } from '../../../../test/recording-sender.ts'
import {
  BrokerRefusedError,
  BrokerUnavailableError,
  ClosedError,
  type EvtError,
  RecordTooLargeError,
  SendFailedError,
  type SendFailure,
} from '../core/errors.ts'
import type { OutboxRow } from './outbox-row.ts'
import { sortOutcome } from './send-outcome.ts'

const row = (id: number, key: number): OutboxRow => ({
  id: String(id),
  keyHash: key,
  message: textMessage(`${key}`, `${id}`),
})
const rows = [row(1, 7), row(2, 8), row(3, 7), row(4, 8), row(5, 7)]
const failing = (errors: Readonly<Record<number, EvtError>>) => {
  const failures = new Map<number, SendFailure>()
  for (const [i, error] of Object.entries(errors)) failures.set(Number(i), { message: textMessage(null, ''), error })
  return new SendFailedError(failures, rows.length)
}
const ids = (outcome: ReturnType<typeof sortOutcome>) => ({
  done: outcome.done.map(({ id }) => id),
  poison: outcome.poison.map(({ row }) => row.id),
  held: outcome.held.map(({ row }) => row.id),
})
const down = new BrokerUnavailableError('down')
const huge = new RecordTooLargeError('huge')

describe('what becomes of a batch', () => {
  test('that was acknowledged: all of it is done', () => {
    expect(ids(sortOutcome(rows, undefined))).toEqual({ done: ['1', '2', '3', '4', '5'], poison: [], held: [] })
  })

  test('that failed in part: of each key only what came before its first failure is done', () => {
    expect(ids(sortOutcome(rows, failing({ 2: down })))).toEqual({ done: ['1', '2', '4'], poison: [], held: ['3'] })
    expect(ids(sortOutcome(rows, failing({ 0: down, 4: huge })))).toEqual({ done: ['2', '4'], poison: [], held: ['1'] })
  })

  test('with rows that are at fault: they are poison, and nothing of their key behind them is done', () => {
    expect(ids(sortOutcome(rows, failing({ 2: huge, 3: down })))).toEqual({
      done: ['1', '2'],
      poison: ['3'],
      held: ['4'],
    })
  })

  test.each([
    ['an outage', down],
    ['a missing authorization', new BrokerRefusedError('not authorized')],
    ['a closed sender', new ClosedError('closed')],
    ['an error of nobody knows what', new TypeError('undefined is not a function')],
  ])('that met %s: every key is held and nothing is poison', (_, error) => {
    expect(ids(sortOutcome(rows, error))).toEqual({ done: [], poison: [], held: ['1', '2'] })
  })

  test('is recognised by the brand of the error, not by its class', () => {
    const fromAnotherCopy = Object.assign(new Error('some were not acknowledged'), {
      [Symbol.for('evtkit.error')]: true,
      code: 'EVT_SEND_FAILED',
      failures: failing({ 0: huge }).failures,
    })
    expect(ids(sortOutcome(rows, fromAnotherCopy)).poison).toEqual(['1'])
  })
})
