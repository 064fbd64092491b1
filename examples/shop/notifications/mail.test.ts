import { createProducer } from '@evtkit/sdk'
import { expect, test } from 'vitest'
import { OrderCancelled, ShippingCreated } from '../contracts/index.ts'
import { cancelledMail, shippedMail } from './mail.ts'

const recipient = {
  email: 'ada@example.com',
  name: 'Ada',
  street: 'Way 1',
  city: 'Ulm',
  postalCode: '1',
  country: 'DE',
}
/** Sends nothing: here it makes envelopes, with everything in them that a reader is given. */
const producer = createProducer({ sender: { send: async () => {} }, source: 'test', newId: () => '0199-e' })

test('a mail has the same Message-ID however often it is written', async () => {
  const data = { orderId: 'o-1', carrier: 'Snail Express', trackingNumber: 'SE1', recipient }
  const event = await producer.publish(ShippingCreated, data)
  expect(shippedMail(event)).toEqual(shippedMail(event))
  expect(shippedMail(event)).toMatchObject({ to: 'ada@example.com', messageId: '<0199-e@notifications.shop.example>' })
})

test('a customer whose order was cancelled is told why', async () => {
  const about = async (reason: 'OUT_OF_STOCK' | 'PAYMENT_DECLINED') =>
    cancelledMail(await producer.publish(OrderCancelled, { orderId: 'o-1', customerId: 'c-1', reason, recipient })).text
  expect(await about('OUT_OF_STOCK')).toContain('do not have enough')
  expect(await about('PAYMENT_DECLINED')).toContain('card could not be charged')
})
