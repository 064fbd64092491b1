import { describe, expect, test } from 'vitest'
import { createSchemaRegistry } from '../registry/server/schema-registry.ts'
import { checkContracts } from './check-contracts.ts'
import { earlierInRegistry } from './earlier-in-registry.ts'
import { pushSchemas } from './push-schemas.ts'
import { readContracts } from './read-contracts.ts'

const field = (name: string, type: unknown, more: object = {}) => ({ name, type, doc: `The ${name}.`, ...more })
const note = field('note', ['null', 'string'], { default: null })
const coupon = field('couponCode', 'string')

async function contractsOf(created: readonly unknown[], shipped: readonly unknown[] = []) {
  const record = (name: string, fields: readonly unknown[]) =>
    JSON.stringify({
      type: 'record',
      name: `shop.orders.v1.${name}`,
      doc: 'Words.',
      fields: [field('orderId', 'string'), ...fields],
    })
  const files: Record<string, string> = {
    'topics.yaml': `
namespace: shop
topics:
  order-events: { partitions: 3, retention: 1 year, key: orderId, owner: orders, description: Orders, events: [OrderCreated, OrderShipped] }`,
    'orders/OrderCreated.v1.avsc': record('OrderCreated', created),
    'orders/OrderShipped.v1.avsc': record('OrderShipped', shipped),
  }
  return readContracts({ list: async () => Object.keys(files), read: async (path) => files[path] ?? '' })
}

const states = ({ schemas }: Awaited<ReturnType<typeof pushSchemas>>) =>
  schemas.map(({ event, state, subjectVersion }) => `${event} ${state} ${subjectVersion}`)

describe('pushing schemas', () => {
  test('registers the envelope of each event under its topic and record, once', async () => {
    const registry = createSchemaRegistry().client()
    const contracts = await contractsOf([])

    expect(states(await pushSchemas({ contracts, registry }))).toEqual(['OrderCreated new 1', 'OrderShipped new 1'])
    expect(states(await pushSchemas({ contracts, registry }))).toEqual([
      'OrderCreated unchanged 1',
      'OrderShipped unchanged 1',
    ])
    expect(await registry.subjects()).toEqual([
      'order-events-shop.orders.v1.OrderCreatedEnvelope',
      'order-events-shop.orders.v1.OrderShippedEnvelope',
    ])
  })

  test('adds a version for what changed', async () => {
    const registry = createSchemaRegistry().client()
    await pushSchemas({ contracts: await contractsOf([]), registry })

    const pushed = await pushSchemas({ contracts: await contractsOf([note]), registry })

    expect(pushed.accepted).toBe(true)
    expect(states(pushed)).toEqual(['OrderCreated new 2', 'OrderShipped unchanged 1'])
  })

  test('registers nothing when one is refused', async () => {
    const registry = createSchemaRegistry().client()
    await pushSchemas({ contracts: await contractsOf([]), registry })

    const pushed = await pushSchemas({ contracts: await contractsOf([coupon], [note]), registry })

    expect(pushed.accepted).toBe(false)
    expect(states(pushed)).toEqual(['OrderCreated refused undefined', 'OrderShipped held-back undefined'])
    expect(pushed.schemas[0]?.reasons.join()).toContain('couponCode')
    expect(await registry.versions('order-events-shop.orders.v1.OrderShippedEnvelope')).toEqual([1])
  })

  test('says what it would do without doing it', async () => {
    const registry = createSchemaRegistry().client()

    const pushed = await pushSchemas({ contracts: await contractsOf([]), registry, dryRun: true })

    expect(states(pushed)).toEqual(['OrderCreated new undefined', 'OrderShipped new undefined'])
    expect(await registry.subjects()).toEqual([])
  })

  test('sets the level it is told, and judges by that one beforehand', async () => {
    const registry = createSchemaRegistry({ compatibility: 'NONE' }).client()
    await pushSchemas({ contracts: await contractsOf([]), registry })
    const compatibility = 'BACKWARD_TRANSITIVE'

    const refused = await pushSchemas({ contracts: await contractsOf([coupon]), registry, compatibility })
    expect(refused.accepted).toBe(false)
    expect(refused.schemas[0]?.reasons.join()).toContain('version 1 does not write')

    await pushSchemas({ contracts: await contractsOf([note]), registry, compatibility })
    expect(await registry.compatibilityMode('order-events-shop.orders.v1.OrderCreatedEnvelope')).toBe(compatibility)
  })

  test('of some events only', async () => {
    const registry = createSchemaRegistry().client()
    const contracts = await contractsOf([])
    await pushSchemas({ contracts, registry, events: ['OrderShipped'] })
    expect(await registry.subjects()).toEqual(['order-events-shop.orders.v1.OrderShippedEnvelope'])
    await expect(pushSchemas({ contracts, registry, events: ['Nothing'] })).rejects.toThrow(
      'there is no event "Nothing"',
    )
  })
})

test('contracts are compared with every version in a registry', async () => {
  const registry = createSchemaRegistry({ compatibility: 'NONE' }).client()
  await pushSchemas({ contracts: await contractsOf([]), registry })
  await pushSchemas({ contracts: await contractsOf([coupon]), registry })
  const contracts = await contractsOf([coupon])

  const earlier = await earlierInRegistry(contracts, registry)

  expect(checkContracts({ contracts, earlier, mode: 'BACKWARD' }).findings).toEqual([])
  expect(checkContracts({ contracts, earlier }).findings).toMatchObject([
    { event: 'OrderCreated', path: 'data.couponCode', against: ['version 1'], file: 'orders/OrderCreated.v1.avsc' },
  ])
})
