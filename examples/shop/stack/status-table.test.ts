import pc from 'picocolors'
import { expect, test } from 'vitest'
import type { MemberStatus } from './status.ts'
import { isAllReady } from './status.ts'
import { statusTable } from './status-table.ts'

const plain = pc.createColors(false)

const member = (name: MemberStatus['name'], health: MemberStatus['health'], pid?: number): MemberStatus => ({
  name,
  pid,
  port: 21_000,
  health,
  restarts: 0,
  logFile: `/srv/shop/.evtkit/stack/logs/${name}.log`,
})

test('the columns line up, and log files are told from where one stands', () => {
  const members = [
    member('orders', { state: 'ready' }, 4711),
    { ...member('payments', { state: 'not ready', reason: 'database: refused' }, 4712), restarts: 2 },
  ]
  expect(statusTable(members, plain, '/srv/shop').split('\n')).toEqual([
    'part      pid   port   health                        restarts  log',
    'orders    4711  21000  ready                         0         .evtkit/stack/logs/orders.log',
    'payments  4712  21000  not ready: database: refused  2         .evtkit/stack/logs/payments.log',
  ])
})

test('a dead part shows how it ended, and no process id', () => {
  const [, line] = statusTable([member('orders', { state: 'dead', reason: 'exit code 1' }, 4711)], plain, '/').split(
    '\n',
  )
  expect(line).toMatch(/^orders {2}- {4}21000 {2}dead: exit code 1/)
})

test('colours do not move the columns', () => {
  const members = [member('orders', { state: 'ready' }, 4711), member('payments', { state: 'stopped' })]
  const painted = statusTable(members, pc.createColors(true), '/srv/shop')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of colours begin with one.
  expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(statusTable(members, plain, '/srv/shop'))
  expect(painted).not.toBe(statusTable(members, plain, '/srv/shop'))
})

test('a stack is ready when each part is; servers of others count as ready', () => {
  const ready = member('orders', { state: 'ready' }, 1)
  expect(isAllReady([ready, member('kafka', { state: 'external', where: 'broker:9092' })])).toBe(true)
  expect(isAllReady([ready, member('payments', { state: 'stopped' })])).toBe(false)
})
