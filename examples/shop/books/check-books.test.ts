import { describe, expect, test } from 'vitest'
import type { BookFact, Books } from './books.ts'
import { checkBooks } from './check-books.ts'

const total = { amount: 2500, currency: 'EUR' }
const lines = [{ sku: 'mug', quantity: 2 }]

/** A chain of facts of one order, each caused by the one before. */
const chain = (orderId: string, steps: readonly (readonly [type: string, data?: object])[]): BookFact[] =>
  steps.map(([eventType, data = {}], i) => ({
    eventId: `${orderId}-${i}`,
    eventType,
    eventVersion: 'v1',
    timestamp: '2026-01-01T00:00:00.000Z',
    source: 'test',
    correlationId: `request-of-${orderId}`,
    causationId: i === 0 ? null : `${orderId}-${i - 1}`,
    data: { orderId, ...data },
    metadata: {},
  }))

const shipped = chain('a', [
  ['OrderCreated'],
  ['InventoryReserved', { lines }],
  ['PaymentProcessed', { chargeId: 'ch-a', total }],
  ['OrderConfirmed'],
  ['ShippingCreated'],
  ['NotificationSent', { messageId: '<a>' }],
  ['OrderShipped'],
])
const declined = chain('b', [
  ['OrderCreated'],
  ['InventoryReserved', { lines }],
  ['PaymentFailed', { chargeId: 'ch-b' }],
  ['InventoryReleased', { lines }],
  ['OrderCancelled'],
  ['NotificationSent', { messageId: '<b>' }],
])
const refused = chain('c', [
  ['OrderCreated'],
  ['InventoryReservationFailed'],
  ['OrderCancelled'],
  ['NotificationSent', { messageId: '<c>' }],
])

const right: Books = {
  orders: [
    { orderId: 'a', status: 'shipped', total },
    { orderId: 'b', status: 'cancelled', total },
    { orderId: 'c', status: 'cancelled', total },
  ],
  facts: [...shipped, ...declined, ...refused],
  stock: [
    { sku: 'mug', onHand: 10, reserved: 2 },
    { sku: 'lamp', onHand: 10, reserved: 0 },
  ],
  charges: [
    { chargeId: 'ch-a', reference: 'a', amount: 2500, currency: 'EUR', status: 'succeeded' },
    { chargeId: 'ch-b', reference: 'b', amount: 2500, currency: 'EUR', status: 'declined' },
  ],
  mails: [
    { messageId: '<a>', orderId: 'a' },
    { messageId: '<b>', orderId: 'b' },
    { messageId: '<c>', orderId: 'c' },
  ],
}

const complaints = (change: Partial<Books>) =>
  checkBooks({ ...right, ...change }).map(({ about, message }) => `${about}: ${message}`)

const without = (type: string) => right.facts.filter((fact) => fact.eventType !== type)

test('books that agree have no discrepancy', () => {
  expect(checkBooks(right)).toEqual([])
})

describe('an order is off when', () => {
  test('it has not ended', () => {
    expect(
      complaints({ orders: [{ orderId: 'a', status: 'confirmed', total }], facts: without('OrderShipped') })[0],
    ).toContain('order a: has not ended: it is confirmed')
  })

  test('an event of its life is missing', () => {
    expect(complaints({ facts: without('ShippingCreated') })).toContain(
      'order a: ended as shipped, but these events are missing: ShippingCreated',
    )
  })

  test('an event of its life happened twice', () => {
    const again = chain('a', [['ShippingCreated']]).map((fact) => ({ ...fact, eventId: 'again', causationId: 'a-3' }))
    expect(complaints({ facts: [...right.facts, ...again] })).toContain(
      'order a: ended as shipped, but these events are too many: ShippingCreated',
    )
  })

  test('it was shipped before it was confirmed', () => {
    const confirmed = right.facts.filter((fact) => fact.eventType === 'OrderConfirmed')
    expect(complaints({ facts: [...without('OrderConfirmed'), ...confirmed] })).toContain(
      'order a: was shipped before it was confirmed',
    )
  })

  test('an event names a cause nobody has seen, or another request', () => {
    const changed = right.facts.map((fact) =>
      fact.eventId === 'a-2'
        ? { ...fact, causationId: 'nowhere' }
        : fact.eventId === 'b-1'
          ? { ...fact, correlationId: 'x' }
          : fact,
    )
    expect(complaints({ facts: changed })).toEqual([
      'order a: PaymentProcessed names a cause that is not an event of this order (nowhere)',
      'order b: InventoryReserved belongs to another request (x)',
    ])
  })
})

describe('sums are off when', () => {
  test('more is set aside than the events say', () => {
    expect(complaints({ stock: [{ sku: 'mug', onHand: 10, reserved: 4 }] })).toEqual([
      'stock of mug: 4 are set aside, but the events say 2',
    ])
  })

  test('a card was charged twice, or without an event', () => {
    const twice = { chargeId: 'ch-x', reference: 'a', amount: 2500, currency: 'EUR', status: 'succeeded' }
    expect(complaints({ charges: [...right.charges, twice] })).toContain('order a: its card was charged twice')
    expect(complaints({ charges: [...right.charges, { ...twice, reference: 'c' }] })).toEqual([
      'order c: its card was charged (ch-x) without PaymentProcessed',
    ])
  })

  test('the charge is not what the order costs', () => {
    expect(complaints({ charges: right.charges.map((charge) => ({ ...charge, amount: 1 })) })).toContain(
      'order a: was charged 1, but costs 2500',
    )
  })

  test('a payment was announced that the provider does not know', () => {
    expect(complaints({ charges: [] })).toEqual(['order a: PaymentProcessed, but its card was not charged'])
  })

  test('a mail is missing, or one came that was not announced', () => {
    expect(complaints({ mails: right.mails.slice(1) })).toEqual(['order a: its mail <a> did not arrive'])
    expect(complaints({ mails: [...right.mails, { messageId: '<z>', orderId: 'z' }] })).toEqual([
      'order z: a mail arrived (<z>) without NotificationSent',
    ])
  })
})
