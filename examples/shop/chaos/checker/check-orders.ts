import type { BookFact } from '../../books/books.ts'
import type { Evidence } from './evidence.ts'
import type { Finding, FindingKind } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** The events of an order's life, by how it ends: each happens once. */
const lives: Readonly<Record<string, readonly string[]>> = {
  shipped: [
    'OrderCreated',
    'InventoryReserved',
    'PaymentProcessed',
    'OrderConfirmed',
    'ShippingCreated',
    'NotificationSent',
    'OrderShipped',
  ],
  declined: [
    'OrderCreated',
    'InventoryReserved',
    'PaymentFailed',
    'InventoryReleased',
    'OrderCancelled',
    'NotificationSent',
  ],
  refused: ['OrderCreated', 'InventoryReservationFailed', 'OrderCancelled', 'NotificationSent'],
}

const reservationOf: Readonly<Record<string, string>> = {
  shipped: 'reserved',
  declined: 'released',
  refused: 'refused',
}

/** Whether every order that was accepted is there, once, and has ended by a whole life; and whether no other is. */
export function checkOrders(evidence: Evidence, ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const orders = new Map(evidence.orders.map((order) => [order.orderId, order]))
  const byKey = new Map<string, string[]>()
  for (const { customerId, idempotencyKey, orderId } of evidence.orderKeys) {
    const key = `${customerId} ${idempotencyKey}`
    byKey.set(key, [...(byKey.get(key) ?? []), orderId])
  }
  const scenarios = new Map<string, number>()
  for (const { begun, outcome, answer } of ledger.operations) {
    if (begun.wish !== 'order') continue
    const made = byKey.get(`${begun.customerId} ${begun.idempotencyKey}`) ?? []
    const add = (kind: FindingKind, message: string) =>
      findings.push({ kind, about: `order request ${begun.idempotencyKey}`, message, scenario: begun.scenario })
    for (const orderId of made) scenarios.set(orderId, begun.scenario)
    if (made.length > 1) add('applied twice', `became ${made.length} orders: ${made.join(', ')}`)
    if (outcome === 'ok' && typeof answer === 'string' && !made.includes(answer))
      add('lost', `was accepted as order ${answer}, which is not there`)
    if (outcome === 'fail' && made.length > 0) add('books', 'reached nobody, but there is an order for it')
  }
  const facts = new Map<string, BookFact[]>()
  const seen = new Set<string>()
  for (const { event } of evidence.records) {
    const orderId = event?.fact?.data.orderId
    if (event?.fact === undefined || typeof orderId !== 'string' || seen.has(event.eventId)) continue
    seen.add(event.eventId)
    facts.set(orderId, [...(facts.get(orderId) ?? []), event.fact])
  }
  const reservations = new Map(evidence.reservations.map(({ orderId, state }) => [orderId, state]))
  for (const { orderId, status } of orders.values()) {
    const scenario = scenarios.get(orderId)
    const add = (kind: FindingKind, message: string) =>
      findings.push({ kind, about: `order ${orderId}`, message, scenario })
    if (scenario === undefined) add('books', 'is there, but nobody asked for it')
    for (const [kind, message] of checkLife(status, facts.get(orderId) ?? [], reservations.get(orderId)))
      add(kind, message)
  }
  for (const orderId of facts.keys())
    if (!orders.has(orderId))
      findings.push({
        kind: 'books',
        about: `order ${orderId}`,
        message: 'events tell of it, but there is no such order',
        scenario: undefined,
      })
  return findings
}

function checkLife(
  status: string,
  facts: readonly BookFact[],
  reservation: string | undefined,
): [FindingKind, string][] {
  const types = facts.map((fact) => fact.eventType)
  if (status !== 'shipped' && status !== 'cancelled')
    return [['lost', `has not ended: it is ${status}, after ${types.join(', ') || 'nothing'}`]]
  const life = status === 'shipped' ? 'shipped' : types.includes('InventoryReservationFailed') ? 'refused' : 'declined'
  const expected = lives[life] ?? []
  const found: [FindingKind, string][] = []
  for (const type of expected) if (!types.includes(type)) found.push(['lost', `ended as ${life} without ${type}`])
  for (const type of new Set(types)) {
    const count = types.filter((each) => each === type).length
    if (count > 1) found.push(['applied twice', `has ${count} different ${type} events`])
    if (!expected.includes(type)) found.push(['books', `ended as ${life}, with ${type}`])
  }
  if (reservation !== reservationOf[life])
    found.push(['books', `ended as ${life}, but its stock is ${reservation ?? 'not known'}`])
  return found
}
