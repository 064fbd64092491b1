/** The event that every case moves: an order whose data is a JSON document of 632 bytes. */
import { defineEvent, defineTopic, type TopicDefinition } from '@evtkit/sdk'
import { z } from 'zod'

/** Bytes of the payload as JSON. */
export const payloadBytes = 632

const address = z.object({ street: z.string(), city: z.string(), postalCode: z.string(), country: z.string() })

const orderPlaced = z.object({
  orderId: z.string().min(1),
  customerId: z.string().min(1),
  currency: z.enum(['EUR', 'USD']),
  items: z
    .array(
      z.object({
        sku: z.string().min(1),
        name: z.string(),
        quantity: z.int().positive(),
        unitPriceCents: z.int().nonnegative(),
      }),
    )
    .min(1),
  totalCents: z.int().nonnegative(),
  shippingAddress: address,
  note: z.string(),
})

export type OrderPlacedData = z.output<typeof orderPlaced>

/** Three partitions, and records that are gone by the next day whatever happens to this run. */
export function defineOrderTopic(name: string): TopicDefinition {
  return defineTopic({ name, partitions: 3, retentionMs: 24 * 3_600_000 })
}

export function defineOrderPlaced(topic: TopicDefinition) {
  return defineEvent({ type: 'OrderPlaced', topic, schema: orderPlaced, key: (order) => order.orderId })
}

/** The data of the n-th order. There are ten thousand different ones with as many keys, all of one size. */
export function order(n: number): OrderPlacedData {
  return orders[n % orders.length] ?? makeOrder(n)
}

function makeOrder(n: number): OrderPlacedData {
  const data = {
    orderId: `order-${String(n).padStart(6, '0')}`,
    customerId: `customer-${String(n % 1000).padStart(6, '0')}`,
    currency: 'EUR' as const,
    items: [
      { sku: 'KB-104-ISO-DE', name: 'Mechanical keyboard', quantity: 1, unitPriceCents: 12_990 },
      { sku: 'MS-620-WL', name: 'Wireless mouse', quantity: 2, unitPriceCents: 3_495 },
      { sku: 'CB-USBC-2M', name: 'USB-C cable 2 m', quantity: 3, unitPriceCents: 1_290 },
      { sku: 'ST-ALU-17', name: 'Aluminium laptop stand', quantity: 1, unitPriceCents: 4_595 },
    ],
    totalCents: 28_445,
    shippingAddress: { street: '17 Harbour Road', city: 'Rotterdam', postalCode: '3011 AA', country: 'NL' },
    note: '',
  }
  data.note = 'x'.repeat(payloadBytes - Buffer.byteLength(JSON.stringify(data)))
  return data
}

// Made beforehand, because making them is not what is measured.
const orders = Array.from({ length: 10_000 }, (_, n) => makeOrder(n))
