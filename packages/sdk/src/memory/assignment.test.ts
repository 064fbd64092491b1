import { expect, test } from 'vitest'
import { assignPartitions } from './assignment.ts'

const partitions: Record<string, number> = { orders: 4, payments: 3, refunds: 1 }
const member = (...topics: string[]) => ({ topics })
const assign = (...members: { topics: string[] }[]) => {
  const shares = assignPartitions(members, (topic) => partitions[topic] ?? 0)
  return members.map((one) => (shares.get(one) ?? []).map(({ topic, partition }) => `${topic}/${partition}`))
}

test('one member gets everything it subscribes to', () => {
  expect(assign(member('payments'))).toEqual([['payments/0', 'payments/1', 'payments/2']])
})

test('members share evenly, over all topics together', () => {
  const shares = assign(member('orders', 'payments'), member('orders', 'payments'), member('orders', 'payments'))
  expect(shares.map((share) => share.length).sort()).toEqual([2, 2, 3])
  expect(new Set(shares.flat()).size).toBe(7)
})

test('nobody gets a topic it does not subscribe to, and no topic is left without a reader', () => {
  const [old, rolledOut] = assign(member('orders'), member('orders', 'refunds'))
  expect(old?.every((place) => place.startsWith('orders/'))).toBe(true)
  expect(rolledOut).toContain('refunds/0')
  expect([...(old ?? []), ...(rolledOut ?? [])]).toHaveLength(5)
})

test('more members than partitions leave some without work', () => {
  const shares = assign(member('refunds'), member('refunds'))
  expect(shares).toEqual([['refunds/0'], []])
})

test('without members or partitions there is nothing to share', () => {
  expect(assign()).toEqual([])
  expect(assign(member('unknown'))).toEqual([[]])
})
