import { compareGenerated, generate } from '@evtkit/sdk/contracts'
import { expect, test } from 'vitest'
import { readShopContracts } from '../platform/shop-schemas.ts'
import { allEvents, allTopics } from './index.ts'

const contracts = await readShopContracts()

test('the generated definitions are those of the schemas; "npx evt generate" writes them anew', async () => {
  const changes = await compareGenerated(`${import.meta.dirname}/generated`, generate(contracts))
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([])
})

test('the catalogue knows every event and every topic of the contracts', () => {
  const types = [...new Set(contracts.events.map(({ type }) => type))]
  expect(allEvents.map((event) => event.type).sort()).toEqual(types)
  expect(allTopics.map((topic) => topic.name)).toEqual(contracts.topics.map((topic) => topic.name))
})

test('partitions and retention are those of the decision record, and of our own topic', () => {
  const day = 86_400_000
  expect(
    Object.fromEntries(allTopics.map((topic) => [topic.name, [topic.partitions, topic.retentionMs / day]])),
  ).toEqual({
    'user-events': [12, 30],
    'catalog-events': [8, 90],
    'inventory-events': [16, 7],
    'order-events': [20, 365],
    'payment-events': [12, 7 * 365],
    'shipping-events': [8, 365],
    'notification-events': [4, 30],
    'audit-events': [4, 7 * 365],
    'cart-events': [12, 30],
  })
})

test('every core event of the record is there, and our one addition', () => {
  const core = `UserRegistered UserUpdated UserDeactivated ProductCreated ProductUpdated ProductDiscontinued
    InventoryAdjusted InventoryReserved InventoryReleased CartCreated CartUpdated CartAbandoned OrderCreated OrderConfirmed
    OrderCancelled OrderShipped PaymentInitiated PaymentProcessed PaymentFailed PaymentRefunded ShippingCreated
    ShippingDispatched ShippingDelivered NotificationSent NotificationFailed`.split(/\s+/)
  expect(core).toHaveLength(25)
  expect(allEvents.map((event) => event.type).sort()).toEqual([...core, 'InventoryReservationFailed'].sort())
})
