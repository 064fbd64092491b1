import type { BookFact } from '../../books/books.ts'
import type { HistoryEvent } from '../history.ts'
import type { Evidence, LoggedRecord } from './evidence.ts'

/** The evidence and the history of a small run in which nothing went wrong: two orders, a cart of three pieces, one fault. */
export interface DoctoredRun {
  readonly evidence: Evidence
  readonly history: readonly HistoryEvent[]
}

const customerId = 'ada'
/** Order of appearance in the log of its topic. */
let offset = 0

export const shipped = '00000000-0000-7000-8000-0000000000a1'
export const refused = '00000000-0000-7000-8000-0000000000a2'

export function goodRun(): DoctoredRun {
  offset = 0
  const orders = [orderRecords(shipped, shippedLife), orderRecords(refused, refusedLife)].flat()
  const carts = [1, 2, 3].map(pieceRecord)
  const records = [...orders, ...carts]
  const evidence: Evidence = {
    records,
    orders: [
      { orderId: shipped, customerId, status: 'shipped', amount: 1250 },
      { orderId: refused, customerId, status: 'cancelled', amount: 1250 },
    ],
    orderKeys: [
      { customerId, idempotencyKey: 'k1', orderId: shipped },
      { customerId, idempotencyKey: 'k2', orderId: refused },
    ],
    reservations: [
      { orderId: shipped, state: 'reserved' },
      { orderId: refused, state: 'refused' },
    ],
    stock: [{ sku: 'mug', onHand: 100, reserved: 1 }],
    charges: [{ chargeId: 'ch-1', reference: shipped, amount: 1250, currency: 'EUR', status: 'succeeded' }],
    mails: [
      { messageId: `mail-${shipped}`, orderId: shipped },
      { messageId: `mail-${refused}`, orderId: refused },
    ],
    inbox: records.flatMap(handledBy),
    rejected: [],
    failed: [],
    setAside: [],
    unsent: [{ service: 'orders', count: 0 }],
    carts: [{ cartId: 'cart-1', pieces: 3 }],
    mirror: [{ cartId: 'cart-1', pieces: 3 }],
    applied: carts.map((record, index) => ({ cartId: 'cart-1', pieces: index + 1, eventId: idOf(record) })),
    deliveries: carts.map((record, index) => ({ eventId: idOf(record), at: 1200 + index })),
  }
  const idle = { records: 0, unsent: 0, requests: 0 }
  const history: HistoryEvent[] = [
    { at: 1000, scenario: 1, kind: 'scenario', name: 'broker-killed', faults: ['F6'], boundMs: 5000, plan: {} },
    { at: 1010, scenario: 1, kind: 'begun', op: 1, wish: 'order', customerId, idempotencyKey: 'k1', index: 0 },
    { at: 1020, scenario: 1, kind: 'ended', op: 1, outcome: 'ok', answer: shipped, attempts: 1 },
    { at: 1010, scenario: 1, kind: 'begun', op: 2, wish: 'order', customerId, idempotencyKey: 'k2', index: 1 },
    // Its answer was lost; there may be an order, and there is one.
    { at: 1030, scenario: 1, kind: 'ended', op: 2, outcome: 'info', attempts: 1 },
    ...[1, 2, 3].flatMap((pieces): HistoryEvent[] => [
      { at: 1100, scenario: 1, kind: 'begun', op: 10 + pieces, wish: 'piece', cartId: 'cart-1' },
      { at: 1110, scenario: 1, kind: 'ended', op: 10 + pieces, outcome: 'ok', answer: pieces, attempts: 1 },
    ]),
    { at: 1200, scenario: 1, kind: 'fault', fault: 1, what: 'killed', target: 'kafka', live: { ...idle, records: 4 } },
    { at: 1300, scenario: 1, kind: 'healed', fault: 1, live: { ...idle, records: 7 } },
    { at: 2000, scenario: 1, kind: 'recovered', afterMs: 700 },
    { at: 2100, scenario: 1, kind: 'exit', program: 'orders', code: null, signal: 'SIGKILL', asked: true },
  ]
  return { evidence, history }
}

const shippedLife = [
  ['order-events', 'OrderCreated'],
  ['inventory-events', 'InventoryReserved'],
  ['payment-events', 'PaymentProcessed'],
  ['order-events', 'OrderConfirmed'],
  ['shipping-events', 'ShippingCreated'],
  ['notification-events', 'NotificationSent'],
  ['order-events', 'OrderShipped'],
] as const
const refusedLife = [
  ['order-events', 'OrderCreated'],
  ['inventory-events', 'InventoryReservationFailed'],
  ['order-events', 'OrderCancelled'],
  ['notification-events', 'NotificationSent'],
] as const

/** Who has handled which event. */
const handlers: Readonly<Record<string, readonly string[]>> = {
  OrderCreated: ['inventory'],
  OrderCancelled: ['notifications'],
  InventoryReserved: ['orders', 'payments'],
  InventoryReservationFailed: ['orders'],
  PaymentProcessed: ['orders', 'shipping'],
  ShippingCreated: ['orders', 'notifications'],
  NotificationSent: ['orders'],
  CartUpdated: ['cart-mirror'],
}

function orderRecords(orderId: string, life: readonly (readonly [string, string])[]): LoggedRecord[] {
  const total = { amount: 1250, currency: 'EUR' }
  const data = { orderId, lines: [{ sku: 'mug', quantity: 1 }], total, chargeId: 'ch-1', messageId: `mail-${orderId}` }
  return life.map(([topic, eventType]) => recordOf(topic, orderId, eventType, data))
}

function pieceRecord(quantity: number): LoggedRecord {
  return recordOf('cart-events', 'cart-1', 'CartUpdated', { cartId: 'cart-1', lines: [{ sku: 'mug', quantity }] })
}

export function recordOf(topic: string, key: string, eventType: string, data: object): LoggedRecord {
  offset++
  const eventId = `00000000-0000-7000-8000-${String(offset).padStart(12, '0')}`
  const envelope = { eventId, eventType, data, correlationId: key, causationId: null }
  return {
    topic,
    partition: 0,
    offset,
    timestamp: 1000 + offset,
    key,
    value: JSON.stringify(envelope),
    // Safe: as far as the checks look.
    event: { eventId, eventType, fact: envelope as unknown as BookFact },
  }
}

function handledBy(record: LoggedRecord): Evidence['inbox'][number][] {
  const type = record.event?.eventType ?? ''
  return (handlers[type] ?? []).map((group) => ({
    group,
    eventId: idOf(record),
    handler: type,
    handledAt: 1000 + record.offset,
  }))
}

export function idOf(record: LoggedRecord | undefined): string {
  return record?.event?.eventId ?? 'none'
}
