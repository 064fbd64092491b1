import { expect, test } from 'vitest'
import { labelFor } from './label.ts'

test('a parcel has the same tracking number however often its label is made', () => {
  expect(labelFor('order-1')).toEqual(labelFor('order-1'))
  expect(labelFor('order-1').trackingNumber).toMatch(/^SE\d{18}$/)
})

test('two orders have two tracking numbers', () => {
  expect(labelFor('order-1').trackingNumber).not.toBe(labelFor('order-2').trackingNumber)
})
