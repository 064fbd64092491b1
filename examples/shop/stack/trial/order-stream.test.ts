import { createServer, type Server } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { OrderStream } from './order-stream.ts'

let server: Server | undefined

afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

/** A gateway that answers as told, by the Idempotency-Key and how often it came. */
async function gateway(answer: (key: string, times: number) => number | 'cut'): Promise<string> {
  const seen = new Map<string, number>()
  server = createServer((request, response) => {
    const key = String(request.headers['idempotency-key'])
    const times = (seen.get(key) ?? 0) + 1
    seen.set(key, times)
    const status = answer(key, times)
    if (status === 'cut') request.socket.destroy()
    else response.writeHead(status, { connection: 'close' }).end(JSON.stringify({ orderId: `id-of-${key}` }))
  })
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

test('an order is sent again under the same key until it is accepted', async () => {
  const url = await gateway((_, times) => (times === 1 ? 'cut' : times === 2 ? 503 : 202))
  const stream = new OrderStream({ url, ratePerSecond: 100, order: (number) => ({ number }) })
  await vi.waitFor(() => expect(stream.placed).toBeGreaterThan(2))
  await stream.stop()
  expect(stream.accepted.size).toBe(stream.placed)
  expect(stream.accepted.get(0)).toBe('id-of-trial-0')
  expect(stream.retries).toBe(2 * stream.placed)
  expect(stream.open).toBe(0)
})

test('an order that the shop refuses fails the trial', async () => {
  const url = await gateway(() => 422)
  const stream = new OrderStream({ url, ratePerSecond: 100, order: (number) => ({ number }) })
  await vi.waitFor(() => expect(stream.placed).toBeGreaterThan(0))
  await expect(stream.stop()).rejects.toThrow('order 0 was refused')
})
