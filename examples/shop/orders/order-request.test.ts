import { expect, test } from 'vitest'
import { fingerprint, type OrderRequest } from './order-request.ts'

const order: OrderRequest = {
  customerId: 'ada',
  email: 'ada@example.com',
  cardToken: 'tok_ok',
  lines: [{ sku: 'mug', quantity: 1 }],
  shippingAddress: { name: 'Ada', street: 'Road 1', city: 'London', postalCode: 'W1J', country: 'GB' },
}

test('the same order has the same fingerprint, whatever the order of its fields', () => {
  const { shippingAddress, lines, ...rest } = order
  const { country, ...place } = shippingAddress
  expect(fingerprint({ shippingAddress: { country, ...place }, lines, ...rest })).toBe(fingerprint(order))
})

test('another order has another one', () => {
  expect(fingerprint({ ...order, lines: [{ sku: 'mug', quantity: 2 }] })).not.toBe(fingerprint(order))
  expect(fingerprint({ ...order, email: 'eve@example.com' })).not.toBe(fingerprint(order))
})
