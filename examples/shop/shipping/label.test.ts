import { expect, test } from 'vitest'
import { deliveryDay, labelFor } from './label.ts'

test('a parcel has the same tracking number however often its label is made', () => {
  expect(labelFor('order-1')).toEqual(labelFor('order-1'))
  expect(labelFor('order-1').trackingNumber).toMatch(/^SE\d{18}$/)
})

test('two orders have two tracking numbers', () => {
  expect(labelFor('order-1').trackingNumber).not.toBe(labelFor('order-2').trackingNumber)
})

test('a parcel is delivered three days after it was labelled', () => {
  expect(deliveryDay(Date.parse('2026-02-27T23:59:00Z'))).toBe('2026-03-02')
})
