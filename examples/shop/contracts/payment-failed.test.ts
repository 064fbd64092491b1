import { createConsumer, createProducer, silentLogger } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { createSchemaRegistry } from '@evtkit/sdk/registry/server'
import { describe, expect, test, vi } from 'vitest'
import { registerShopSchemas } from '../platform/shop-schemas.ts'
import { avroWire, jsonWire } from '../platform/wire.ts'
import { allEvents, type EventOf, PaymentFailed, PaymentFailedV1 } from './index.ts'

const wires = {
  JSON: async () => jsonWire(),
  Avro: async () => {
    const registry = createSchemaRegistry().client()
    await registerShopSchemas(registry)
    return avroWire(registry)
  },
}

describe.each(Object.entries(wires))('as %s', (_, openWire) => {
  test('what a producer of version 1 says of a failed payment is handled as version 2', async () => {
    const broker = createMemoryBroker({ logger: silentLogger })
    await broker.createTopics([PaymentFailed.topic])
    const { codec, close } = await openWire()
    const producer = createProducer({ sender: broker, source: 'old-payment-service', codec })
    const seen: EventOf<typeof PaymentFailed>[] = []
    const rejected = vi.fn()
    const consumer = createConsumer({
      source: broker,
      group: 'test',
      rejected,
      catalogue: allEvents,
      codec,
      logger: silentLogger,
    }).on(PaymentFailed, (event) => void seen.push(event))
    await consumer.start()

    await producer.publish(PaymentFailedV1, { orderId: 'o-1', chargeId: 'c-1', reason: 'card_declined' })
    await producer.publish(PaymentFailedV1, { orderId: 'o-1', chargeId: 'c-2', reason: 'moon_in_wrong_phase' })
    await producer.publish(PaymentFailed, {
      orderId: 'o-1',
      chargeId: 'c-3',
      reason: 'INSUFFICIENT_FUNDS',
      providerCode: 'insufficient_funds',
    })
    await vi.waitFor(() => expect(seen).toHaveLength(3))

    expect(seen.map((event) => [event.eventVersion, event.data])).toEqual([
      ['v2', { orderId: 'o-1', chargeId: 'c-1', reason: 'CARD_DECLINED', providerCode: 'card_declined' }],
      ['v2', { orderId: 'o-1', chargeId: 'c-2', reason: 'OTHER', providerCode: 'moon_in_wrong_phase' }],
      ['v2', { orderId: 'o-1', chargeId: 'c-3', reason: 'INSUFFICIENT_FUNDS', providerCode: 'insufficient_funds' }],
    ])
    expect(rejected).not.toHaveBeenCalled()
    await consumer.close()
    await close()
    await broker.close()
  })
})
