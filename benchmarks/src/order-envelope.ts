/** The event of the codec cases: an envelope of 632 bytes as JSON, and of 279 as Avro behind the id of its schema. */
import { defineEvent, defineTopic, type Envelope } from '@evtkit/sdk'
import { avroSchema } from '@evtkit/sdk/avro'

/** Bytes of the whole envelope as JSON. */
export const envelopeBytes = 632

interface OrderCreatedData {
  readonly orderId: string
  readonly customerId: string
  readonly currency: 'EUR' | 'USD' | 'OTHER'
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitPriceMinor: number }[]
  readonly totalMinor: number
  readonly shippingAddress: {
    readonly street: string
    readonly city: string
    readonly postalCode: string
    readonly country: string
  }
  readonly couponCode: string | null
}

const text = (name: string) => ({ name, type: 'string' })

const line = {
  type: 'record',
  name: 'OrderLine',
  fields: [text('sku'), { name: 'quantity', type: 'int' }, { name: 'unitPriceMinor', type: 'long' }],
}

const fields = [
  text('orderId'),
  text('customerId'),
  {
    name: 'currency',
    type: { type: 'enum', name: 'Currency', symbols: ['OTHER', 'EUR', 'USD'], default: 'OTHER' },
  },
  { name: 'lines', type: { type: 'array', items: line } },
  { name: 'totalMinor', type: 'long' },
  {
    name: 'shippingAddress',
    type: { type: 'record', name: 'Address', fields: ['street', 'city', 'postalCode', 'country'].map(text) },
  },
]

const named = { type: 'record', name: 'OrderCreated', namespace: 'shop.orders.v1' }

/** As it was before there were coupons, and while orders still said where they came from. */
export const olderDocument = {
  ...named,
  fields: [...fields, { name: 'channel', type: 'string', default: '' }],
}
export const document = {
  ...named,
  fields: [...fields, { name: 'couponCode', type: ['null', 'string'], default: null }],
}

const topic = defineTopic({ name: 'order-events' })

export const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic,
  schema: avroSchema<OrderCreatedData>(document),
  key: (order) => order.orderId,
})

export const OlderOrderCreated = defineEvent({
  type: 'OrderCreated',
  topic,
  schema: avroSchema<Omit<OrderCreatedData, 'couponCode'> & { readonly channel: string }>(olderDocument),
  key: (order) => order.orderId,
})

/** One of a thousand different envelopes, all of one size. */
export function envelope(n: number): Envelope {
  return envelopes[n % envelopes.length] ?? makeEnvelope(n)
}

/** The same fact as its older version had it; what couponCode takes, its channel does. */
export function olderEnvelope(n: number): Envelope {
  const { data, ...rest } = makeEnvelope(n)
  const { couponCode, ...order } = data
  return { ...rest, data: { ...order, channel: couponCode ?? '' } }
}

function uuid(kind: number, n: number): string {
  return `0198c0de-000${kind}-7000-8000-${String(n).padStart(12, '0')}`
}

function makeEnvelope(n: number) {
  const made = {
    eventId: uuid(1, n),
    eventType: 'OrderCreated',
    eventVersion: 'v1',
    timestamp: `2026-11-24T09:30:00.${String(n).padStart(3, '0')}Z`,
    source: 'orders',
    correlationId: uuid(2, n),
    causationId: uuid(3, n),
    data: {
      orderId: `o-${String(n).padStart(6, '0')}`,
      customerId: `c-${String(n % 100).padStart(6, '0')}`,
      currency: 'EUR' as const,
      lines: [
        { sku: `KB-104-ISO-${n % 50}`, quantity: 1, unitPriceMinor: 12_990 },
        { sku: `MS-620-${n % 30}`, quantity: 2, unitPriceMinor: 3495 },
      ],
      totalMinor: 19_980,
      shippingAddress: { street: `${n} Harbour Rd`, city: 'Rotterdam', postalCode: '3011 AA', country: 'NL' },
      couponCode: '' as string | null,
    },
    metadata: { userId: `u-${100 + (n % 100)}` },
  }
  made.data.couponCode = 'x'.repeat(envelopeBytes - Buffer.byteLength(JSON.stringify(made)))
  return made
}

// Made beforehand, because making them is not what is measured.
const envelopes = Array.from({ length: 1000 }, (_, n) => makeEnvelope(n))
