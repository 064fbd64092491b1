import { expect, test } from 'vitest'
import { type Hit, hitTable, metLiveWork } from './hit.ts'

const hit = (change: Partial<Hit>): Hit => ({
  part: 'orders',
  signal: 'SIGKILL',
  endedInMs: 12,
  ending: { kind: 'killed' },
  outstanding: 3,
  openRequests: 0,
  inFlight: { uncommitted: [], handled: new Set(), unsent: 0 },
  ...change,
})

const record = { topic: 'order-events', partition: 0, offset: 1n }

test('a service was at work when it left records uncommitted or events unsent', () => {
  expect(metLiveWork(hit({ inFlight: { uncommitted: [record], handled: new Set(), unsent: 0 } }))).toBe(true)
  expect(metLiveWork(hit({ inFlight: { uncommitted: [], handled: new Set(), unsent: 1 } }))).toBe(true)
  expect(metLiveWork(hit({ openRequests: 5 }))).toBe(false)
})

test('the gateway was at work when requests were open', () => {
  expect(metLiveWork(hit({ part: 'gateway', inFlight: undefined, openRequests: 1 }))).toBe(true)
  expect(metLiveWork(hit({ part: 'gateway', inFlight: undefined }))).toBe(false)
})

test('a hit while all orders had ended proves nothing', () => {
  expect(metLiveWork(hit({ outstanding: 0, inFlight: { uncommitted: [record], handled: new Set(), unsent: 2 } }))).toBe(
    false,
  )
})

test('each hit is a line of the table', () => {
  const hits = [
    hit({ inFlight: { uncommitted: [record], handled: new Set(), unsent: 2 } }),
    hit({ part: 'gateway', signal: 'SIGTERM', ending: { kind: 'exited', code: 0 }, inFlight: undefined }),
  ]
  expect(hitTable(hits, () => 1).split('\n')).toEqual([
    'part     signal   ended        within  orders open  records  unsent  requests  handled again',
    'orders   SIGKILL  killed       12 ms   3            1        2       0         1',
    'gateway  SIGTERM  exit code 0  12 ms   3            -        -       0         -',
  ])
})
