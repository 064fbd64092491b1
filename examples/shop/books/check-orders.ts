import type { BookFact, Books, Discrepancy, OrderEntry } from './books.ts'

/** The events of an order's life, by how it ends. Each happens exactly once. */
const lives = {
  shipped: [
    'OrderCreated',
    'InventoryReserved',
    'PaymentProcessed',
    'OrderConfirmed',
    'ShippingCreated',
    'NotificationSent',
    'OrderShipped',
  ],
  'payment declined': [
    'OrderCreated',
    'InventoryReserved',
    'PaymentFailed',
    'InventoryReleased',
    'OrderCancelled',
    'NotificationSent',
  ],
  'out of stock': ['OrderCreated', 'InventoryReservationFailed', 'OrderCancelled', 'NotificationSent'],
} as const

/** Every order has ended, by a life that is whole, in order, and all of one request. */
export function checkOrders({ orders, facts }: Books): Discrepancy[] {
  const byOrder = new Map<string, BookFact[]>()
  for (const fact of facts) {
    const { orderId } = fact.data
    byOrder.set(orderId, [...(byOrder.get(orderId) ?? []), fact])
  }
  return orders.flatMap((order) =>
    checkOrder(order, byOrder.get(order.orderId) ?? []).map((message) => ({
      about: `order ${order.orderId}`,
      message,
    })),
  )
}

function checkOrder({ status }: OrderEntry, facts: readonly BookFact[]): string[] {
  const types = facts.map((fact) => fact.eventType)
  if (status !== 'shipped' && status !== 'cancelled') return [`has not ended: it is ${status}, after ${list(types)}`]
  const life =
    status === 'shipped'
      ? 'shipped'
      : types.includes('InventoryReservationFailed')
        ? 'out of stock'
        : 'payment declined'
  return [...compare(life, types), ...checkSequence(types), ...checkCauses(facts)]
}

function compare(life: keyof typeof lives, types: readonly string[]): string[] {
  const expected = lives[life] as readonly string[]
  const missing = expected.filter((type) => !types.includes(type))
  const beyond = types.filter((type, i) => !expected.includes(type) || types.indexOf(type) !== i)
  return [
    ...(missing.length > 0 ? [`ended as ${life}, but these events are missing: ${list(missing)}`] : []),
    ...(beyond.length > 0 ? [`ended as ${life}, but these events are too many: ${list(beyond)}`] : []),
  ]
}

/** Both are on one topic under one key, so their order is promised. */
function checkSequence(types: readonly string[]): string[] {
  const shipped = types.indexOf('OrderShipped')
  return shipped !== -1 && types.indexOf('OrderConfirmed') > shipped ? ['was shipped before it was confirmed'] : []
}

function checkCauses(facts: readonly BookFact[]): string[] {
  const ids = new Set(facts.map((fact) => fact.eventId))
  const correlation = facts[0]?.correlationId
  return facts.flatMap(({ eventType, causationId, correlationId }) => {
    if (correlationId !== correlation) return [`${eventType} belongs to another request (${correlationId})`]
    if (causationId === null) return eventType === 'OrderCreated' ? [] : [`${eventType} names no cause`]
    return ids.has(causationId)
      ? []
      : [`${eventType} names a cause that is not an event of this order (${causationId})`]
  })
}

function list(types: readonly string[]): string {
  return types.length === 0 ? 'nothing' : types.join(', ')
}
