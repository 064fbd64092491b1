import { expect, test } from 'vitest'
import { price } from './catalogue.ts'

test('an order costs the sum of its lines, in minor units', () => {
  expect(
    price([
      { sku: 'mug', quantity: 2 },
      { sku: 'lamp', quantity: 1 },
    ]),
  ).toEqual({
    lines: [
      { sku: 'mug', quantity: 2, unitPrice: 1250 },
      { sku: 'lamp', quantity: 1, unitPrice: 8900 },
    ],
    total: { amount: 11_400, currency: 'EUR' },
  })
})

test('a product the shop does not sell is named by its line', () => {
  expect(
    price([
      { sku: 'mug', quantity: 1 },
      { sku: 'unicorn', quantity: 1 },
    ]),
  ).toEqual({ unknown: [1] })
})
