import pico from 'picocolors'
import { expect, test } from 'vitest'
import type { OrderRunReport } from '../load/order-run.ts'
import { exitCodeOf, formatSummary, jsonSummary } from './summary.ts'

const latency = { count: 8, p50: 40, p95: 1234, max: 2000 }
const good: OrderRunReport = {
  placed: 12,
  shipped: 8,
  cancelled: 4,
  declined: 3,
  outOfStock: 1,
  pending: 0,
  repeatedRecords: 9,
  duplicates: 7,
  accepted: latency,
  shippedIn: latency,
  ms: 2345.6,
  discrepancies: [],
}
const plain = pico.createColors(false)

test('a good run ends with its outcomes, its latencies and exit code 0', () => {
  const text = formatSummary(good, plain)
  expect(text).toContain('12 orders in 2.3 s')
  expect(text).toMatch(/cancelled\s+4\s+3 payment declined, 1 out of stock/)
  expect(text).toContain('p50 40 ms  p95 1.23 s')
  expect(text).toContain('agree')
  expect(exitCodeOf(good)).toBe(0)
})

test('the JSON line has the counts a script looks for', () => {
  expect(JSON.parse(jsonSummary(good))).toMatchObject({
    placed: 12,
    shipped: 8,
    cancelled: 4,
    pending: 0,
    duplicates: 7,
    ms: 2346,
  })
})

test('whatever is off is named, and the exit code says so', () => {
  const off = { ...good, discrepancies: [{ about: 'stock of mug', message: '3 are set aside, but the events say 2' }] }
  expect(formatSummary(off, plain)).toContain('stock of mug: 3 are set aside, but the events say 2')
  expect(exitCodeOf(off)).toBe(1)
  expect(exitCodeOf({ ...good, pending: 1 })).toBe(1)
})
