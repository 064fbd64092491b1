import { expect, test } from 'vitest'
import type { RawMessage } from '../core/message.ts'
import { claimMs, DeadLetterLog } from './dead-letter-log.ts'
import { deadLetterId, type Mark, noteRecord } from './dead-letter-record.ts'
import { recordOf, type TravellingEvent } from './returned-event.ts'

const event: TravellingEvent = {
  message: { topic: 'orders', key: Buffer.from('o-1'), value: Buffer.from('v'), headers: [] },
  ...{ partition: 2, offset: 17n, redrives: [] },
  attempts: { count: 3, kept: [{ at: 5, code: 'E', message: 'm', stack: 's' }] },
}
const id = deadLetterId(event)
const died = recordOf(event, { topic: 't', kind: 'given-up', key: Buffer.from(id), due: undefined, detail: 'all' })
const marked = (kind: Mark['kind'], letterAt: number, run: string, at: number) =>
  noteRecord('g', { kind, letter: id, offset: String(letterAt), run, at })

function logOf(...records: RawMessage[]): DeadLetterLog {
  const log = new DeadLetterLog()
  for (const [i, message] of records.entries()) log.append({ message, offset: BigInt(i) })
  return log
}

test('an event that died again before its redrive was marked is still a dead letter', () => {
  const log = logOf(died, marked('claimed', 0, 'a', 0), died, marked('redriven', 0, 'a', 1))
  expect(log.find(id)).toMatchObject({ at: 2n })
  expect(log.claimant(id, 1)).toBeUndefined()
})

test('of several claims the first one holds, until its time is over', () => {
  const claims = [marked('claimed', 0, 'a', 1000), marked('claimed', 0, 'b', 1001)]
  expect(logOf(died, ...claims).claimant(id, 1002)).toBe('a')
  expect(logOf(died, ...claims).claimant(id, 1000 + claimMs)).toBeUndefined()
  const late = marked('claimed', 0, 'c', 1000 + claimMs)
  expect(logOf(died, ...claims, late).claimant(id, 1000 + claimMs)).toBe('c')
})

test('a decided letter is gone, with its bytes', () => {
  expect(logOf(died).bytes).toBe(4)
  const log = logOf(died, marked('discarded', 0, 'a', 1))
  expect([log.letters, log.bytes]).toEqual([[], 0])
  expect(logOf(died, died).bytes).toBe(4)
})

test('a mark on a letter that is not there, or a record of somebody else, changes nothing', () => {
  const stranger: RawMessage = {
    topic: 't',
    key: null,
    value: Buffer.from('{'),
    headers: [['evtkit-note', Buffer.alloc(0)]],
  }
  const log = logOf(stranger, marked('redriven', 0, 'a', 1), died)
  expect(log.letters).toHaveLength(1)
  expect(log.unreadable).toBe(1)
})
