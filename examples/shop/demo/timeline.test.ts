import pico from 'picocolors'
import { expect, test } from 'vitest'
import type { ShopFact } from '../load/fact-log.ts'
import { Timeline } from './timeline.ts'

const fact = (over: Partial<ShopFact>): ShopFact => ({
  eventId: 'e-1',
  eventType: 'OrderCreated',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: 'c',
  causationId: null,
  data: { orderId: 'o-1' },
  metadata: {},
  ...over,
})

test('a line tells when, which order, who says what about which key, and how long after its cause', () => {
  const timeline = new Timeline(pico.createColors(false))
  expect(timeline.line(fact({}), '#1').split(/ {2,}/)).toEqual([
    '',
    '0.000 s',
    '#1',
    'order',
    'OrderCreated',
    'o-1',
    'request',
  ])
  const next = fact({
    eventId: 'e-2',
    eventType: 'InventoryReserved',
    source: 'inventory-service',
    causationId: 'e-1',
    timestamp: '2026-01-01T00:00:01.250Z',
  })
  expect(timeline.line(next, '#1').split(/ {2,}/)).toEqual([
    '',
    '1.250 s',
    '#1',
    'inventory',
    'InventoryReserved',
    'o-1',
    '+1250 ms',
  ])
})

test('a cause that was not seen is not made up', () => {
  const timeline = new Timeline(pico.createColors(false))
  expect(timeline.line(fact({ causationId: 'elsewhere' }), '#1')).not.toContain('ms')
})

test('without colours a line holds no escape sequence, with colours the end of an order stands out', () => {
  const shipped = fact({ eventType: 'OrderShipped' })
  expect(new Timeline(pico.createColors(false)).line(shipped, '#1')).not.toContain('\u001b')
  expect(new Timeline(pico.createColors(true)).line(shipped, '#1')).toContain('\u001b[32m')
})
