import { silentLogger } from '@evtkit/sdk'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ChargeLedger } from '../payment-provider/charge-ledger.ts'
import { addChargeRoutes } from '../payment-provider/charge-routes.ts'
import { fetchInProcess } from '../platform/fetch.ts'
import { createHttpServer } from '../platform/http-server.ts'
import { createProviderClient } from './provider-client.ts'

const signal = () => new AbortController().signal
let letGo = () => {}
let close = async () => {}

afterEach(async () => {
  letGo()
  await close()
})

/** The sandbox provider, and a client that waits 50 ms for it. */
const sandbox = () => {
  const ledger = new ChargeLedger(undefined)
  const http = createHttpServer(silentLogger)
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const callBackLater = vi.fn()
  let count = 0
  addChargeRoutes(http, { ledger, newChargeId: () => `ch_${++count}`, hang: () => released, callBackLater })
  close = () => http.close()
  const client = createProviderClient(
    fetchInProcess(() => http),
    50,
  )
  return { ledger, client, callBackLater }
}
const order = (cardToken: string) => ({ amount: 500, currency: 'EUR', cardToken, reference: 'o-1' })

describe('the payment provider, seen by payments', () => {
  test('charges a card once, however often it is asked under one key', async () => {
    const { client, ledger } = sandbox()
    const first = await client.charge(order('tok_ok'), 'key', signal())
    expect(first).toMatchObject({ status: 'succeeded' })
    expect(await client.charge(order('tok_ok'), 'key', signal())).toEqual(first)
    expect(ledger.all()).toHaveLength(1)
  })

  test('refuses a card for good, with its reason', async () => {
    const { client } = sandbox()
    expect(await client.charge(order('tok_declined'), 'key', signal())).toMatchObject({
      status: 'declined',
      reason: 'card_declined',
    })
  })

  test('that hangs is given up, and the same key then finds the charge that was made', async () => {
    const { client, ledger } = sandbox()
    await expect(client.charge(order('tok_timeout'), 'key', signal())).rejects.toThrow('no answer within 50 ms')
    expect(await client.charge(order('tok_timeout'), 'key', signal())).toMatchObject({ status: 'succeeded' })
    expect(ledger.all()).toHaveLength(1)
  })

  test('that is unavailable is an error to try again, not an answer', async () => {
    const { client, ledger } = sandbox()
    await expect(client.charge(order('tok_unavailable'), 'key', signal())).rejects.toThrow('answered 503')
    expect(ledger.all()).toEqual([])
    expect(await client.charge(order('tok_unavailable'), 'key', signal())).toMatchObject({ status: 'succeeded' })
  })

  test('that answers "pending" is asked again later', async () => {
    const { client, ledger, callBackLater } = sandbox()
    const { chargeId, status } = await client.charge(order('tok_twice'), 'key', signal())
    expect(status).toBe('pending')
    expect(callBackLater).toHaveBeenCalledOnce()
    ledger.succeed(chargeId)
    expect(await client.find(chargeId, signal())).toMatchObject({ status: 'succeeded' })
  })

  test('refuses a key that was used for another charge', async () => {
    const { client } = sandbox()
    await client.charge(order('tok_ok'), 'key', signal())
    await expect(client.charge({ ...order('tok_ok'), amount: 1 }, 'key', signal())).rejects.toThrow('answered 422')
  })

  test('is not waited for when the handler is given up', async () => {
    const { client } = sandbox()
    const handler = new AbortController()
    const charge = client.charge(order('tok_timeout'), 'key', handler.signal)
    handler.abort(new Error('given up'))
    await expect(charge).rejects.toThrow('given up')
  })

  test('that cannot be reached is an outage, and no order’s fault', async () => {
    const client = createProviderClient(() => Promise.reject(new TypeError('fetch failed')), 50)
    await expect(client.charge(order('tok_ok'), 'key', signal())).rejects.toMatchObject({
      code: 'EVT_DEPENDENCY_UNAVAILABLE',
      part: 'payment provider',
    })
  })
})
