import { expect, test } from 'vitest'
import { cancelledMail, shippedMail } from './mail.ts'

const recipient = {
  email: 'ada@example.com',
  name: 'Ada',
  street: 'Way 1',
  city: 'Ulm',
  postalCode: '1',
  country: 'DE',
}
const envelope = {
  eventId: '0199-e',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'shipping-service',
  correlationId: 'c',
  causationId: null,
  metadata: {},
}

test('a mail has the same Message-ID however often it is written', () => {
  const event = {
    ...envelope,
    eventType: 'ShippingCreated' as const,
    data: { orderId: 'o-1', carrier: 'Snail Express', trackingNumber: 'SE1', recipient, estimatedDelivery: null },
  }
  expect(shippedMail(event)).toEqual(shippedMail(event))
  expect(shippedMail(event)).toMatchObject({ to: 'ada@example.com', messageId: '<0199-e@notifications.shop.example>' })
})

test('a customer whose order was cancelled is told why', () => {
  const about = (reason: 'OUT_OF_STOCK' | 'PAYMENT_DECLINED') =>
    cancelledMail({
      ...envelope,
      eventType: 'OrderCancelled',
      data: { orderId: 'o-1', customerId: 'c-1', reason, recipient },
    }).text
  expect(about('OUT_OF_STOCK')).toContain('do not have enough')
  expect(about('PAYMENT_DECLINED')).toContain('card could not be charged')
})
