import { expect, test, vi } from 'vitest'
import type { Fetch } from '../../platform/fetch.ts'
import { OrderStream } from './order-stream.ts'

const accept: Fetch = async (_path, request) => {
  const orderId = String(request?.headers?.['idempotency-key'])
  return Response.json({ orderId, correlationId: 'c' }, { status: 202 })
}

test('every order that was begun is accepted when the stream has stopped', async () => {
  const stream = new OrderStream({ gateway: accept, ratePerSecond: 1000 })
  await vi.waitFor(() => expect(stream.placed.length).toBeGreaterThan(24))
  await stream.stop()
  expect(stream.placed.length).toBe(stream.begun)
  expect(new Set(stream.placed.map((order) => order.orderId)).size).toBe(stream.begun)
  expect(stream.open).toBe(0)
})

test('a request that fails is made again under the same key', async () => {
  const failed = new Set<string>()
  const stream = new OrderStream({
    ratePerSecond: 1000,
    async gateway(path, request) {
      const key = String(request?.headers?.['idempotency-key'])
      if (failed.has(key)) return accept(path, request)
      failed.add(key)
      throw new Error('connection refused')
    },
  })
  await stream.stop()
  expect(stream.retries).toBe(stream.begun)
  expect(new Set(stream.placed.map((order) => order.orderId))).toEqual(failed)
})

test('a stream that is given up waits for no gateway', async () => {
  const gateway = vi.fn<Fetch>(async () => new Response('gone', { status: 503 }))
  const stream = new OrderStream({ gateway, ratePerSecond: 1000 })
  await vi.waitFor(() => expect(gateway).toHaveBeenCalled())
  await stream.giveUp()
  expect(stream.placed).toEqual([])
})

test('an order that is refused for good ends the stream with the reason', async () => {
  const stream = new OrderStream({ gateway: async () => new Response('no', { status: 422 }), ratePerSecond: 1000 })
  await expect(stream.stop()).rejects.toThrow('422 no')
})
