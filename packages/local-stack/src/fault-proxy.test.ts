import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts'
import { API_KEYS, KafkaFrameReader, readCorrelationId, readRequest } from './kafka-frame.ts'

let broker: FakeBroker
let proxy: FaultProxy
let clients: Client[]

beforeEach(async () => {
  broker = await startFakeBroker()
  proxy = await createFaultProxy({ target: { host: '127.0.0.1', port: broker.port } })
  clients = []
})

afterEach(async () => {
  for (const client of clients) client.socket.destroy()
  await proxy.close()
  await broker.close()
})

test('without faults every request reaches the broker and every response the client', async () => {
  const client = await newClient()
  client.request(API_KEYS.Produce, 1)
  client.request(API_KEYS.Fetch, 2)
  await expect.poll(() => client.answered).toEqual([1, 2])
  expect(proxy.requestCount(API_KEYS.Produce)).toBe(1)
  expect(proxy.faultsFired).toBe(0)
})

test('a dropped response belongs to a request that the broker carried out, and the connection goes on', async () => {
  const client = await newClient()
  const fault = proxy.dropResponse(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  client.request(API_KEYS.Produce, 2)
  await expect.poll(() => client.answered).toEqual([2])
  expect(broker.received).toEqual([1, 2])
  expect(fault.fired).toBe(1)
  expect(client.socket.closed).toBe(false)
})

test('a fault is for its own kind of request only', async () => {
  const client = await newClient()
  const fault = proxy.dropResponse(API_KEYS.OffsetCommit, { times: Number.POSITIVE_INFINITY })
  client.request(API_KEYS.Produce, 1)
  client.request(API_KEYS.OffsetCommit, 2)
  client.request(API_KEYS.Heartbeat, 3)
  await expect.poll(() => client.answered).toEqual([1, 3])
  expect(fault.fired).toBe(1)
})

test('a fault may choose among the requests', async () => {
  const client = await newClient()
  proxy.dropResponse(API_KEYS.Produce, { times: 9, match: ({ correlationId }) => correlationId % 2 === 0 })
  for (const id of [1, 2, 3, 4, 5]) client.request(API_KEYS.Produce, id)
  await expect.poll(() => client.answered).toEqual([1, 3, 5])
})

test('closing on a response ends the connection after the broker carried the request out', async () => {
  const client = await newClient()
  proxy.closeOnResponse(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => client.socket.closed).toBe(true)
  expect(broker.received).toEqual([1])
  expect(client.answered).toEqual([])
})

test('a dropped request never reaches the broker', async () => {
  const client = await newClient()
  const fault = proxy.dropRequest(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  client.request(API_KEYS.Produce, 2)
  await expect.poll(() => client.answered).toEqual([2])
  expect(broker.received).toEqual([2])
  expect(fault.fired).toBe(1)
})

test('closing on a request ends the connection before the broker sees it', async () => {
  const client = await newClient()
  proxy.closeOnRequest(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => client.socket.closed).toBe(true)
  expect(broker.received).toEqual([])
})

test('a delayed response comes before the later ones all the same', async () => {
  const client = await newClient()
  proxy.delayResponse(API_KEYS.Fetch, 30)
  client.request(API_KEYS.Fetch, 1)
  client.request(API_KEYS.Produce, 2)
  await expect.poll(() => client.answered).toEqual([1, 2])
})

test('a delayed request reaches the broker although its client has left', async () => {
  const client = await newClient()
  const fault = proxy.delayRequest(API_KEYS.Produce, 50)
  client.request(API_KEYS.Produce, 1)
  await fault.whenFired()
  client.socket.destroy()
  await expect.poll(() => broker.received).toEqual([1])
})

test('a black hole keeps connections and lets everything through after it is healed', async () => {
  const client = await newClient()
  proxy.blackhole()
  client.request(API_KEYS.Produce, 1)
  const second = await newClient()
  second.request(API_KEYS.Produce, 2)
  await expect.poll(() => proxy.requestCount(API_KEYS.Produce)).toBe(2)
  expect(broker.received).toEqual([])
  expect(proxy.connections).toBe(2)
  proxy.heal()
  await expect.poll(() => [client.answered, second.answered]).toEqual([[1], [2]])
})

test('a refusing proxy ends what is connected and what connects, until it is healed', async () => {
  const client = await newClient()
  proxy.refuse()
  await expect.poll(() => client.socket.closed).toBe(true)
  const refused = await newClient()
  await expect.poll(() => refused.socket.closed).toBe(true)
  await expect.poll(() => proxy.connections).toBe(0)
  proxy.heal()
  const accepted = await newClient()
  accepted.request(API_KEYS.Produce, 1)
  await expect.poll(() => accepted.answered).toEqual([1])
})

test('a cut response ends the connection in the middle of what it says', async () => {
  const client = await newClient()
  proxy.cutResponse(API_KEYS.Produce, 6)
  let bytes = 0
  client.socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => client.socket.closed).toBe(true)
  expect(bytes).toBe(6)
  expect(broker.received).toEqual([1])
})

test('a cut request never reaches the broker as a whole', async () => {
  const client = await newClient()
  const fault = proxy.cutRequest(API_KEYS.Produce, 11)
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => client.socket.closed).toBe(true)
  expect(fault.fired).toBe(1)
  expect(broker.received).toEqual([])
})

test('after a silent response the connection stays and carries nothing', async () => {
  const client = await newClient()
  const fault = proxy.silenceOnResponse(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  await fault.whenFired()
  client.request(API_KEYS.Produce, 2)
  const other = await newClient()
  other.request(API_KEYS.Produce, 3)
  await expect.poll(() => other.answered).toEqual([3])
  expect(broker.received).toEqual([1, 3])
  expect([client.answered, client.socket.closed]).toEqual([[], false])
})

test('a reset is seen as one by the client', async () => {
  const client = await newClient()
  const errors: string[] = []
  client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(`${error.code}`))
  proxy.resetOnResponse(API_KEYS.Produce)
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => errors).toEqual(['ECONNRESET'])
  expect(broker.received).toEqual([1])
})

test('a fault may be for one connection only', async () => {
  const [one, two] = [await newClient(), await newClient()]
  await expect.poll(() => proxy.links.length).toBe(2)
  proxy.dropResponse(API_KEYS.Produce, { times: 9, match: (_request, link) => link.id === 2 })
  one.request(API_KEYS.Produce, 1)
  two.request(API_KEYS.Produce, 2)
  two.request(API_KEYS.Fetch, 3)
  await expect.poll(() => [one.answered, two.answered]).toEqual([[1], [3]])
})

test('only responses whose error codes are known can be failed', () => {
  expect(() => proxy.failResponse(API_KEYS.ApiVersions, 7)).toThrow(RangeError)
})

test('a removed fault no longer strikes', async () => {
  const client = await newClient()
  proxy.dropResponse(API_KEYS.Produce).remove()
  client.request(API_KEYS.Produce, 1)
  await expect.poll(() => client.answered).toEqual([1])
  expect(proxy.faultsFired).toBe(0)
})

test('closing the proxy does not wait for what is held back', async () => {
  const client = await newClient()
  const fault = proxy.delayResponse(API_KEYS.Fetch, 3_600_000)
  client.request(API_KEYS.Fetch, 1)
  await fault.whenFired()
  await proxy.close()
  await vi.waitFor(() => expect(client.socket.closed).toBe(true))
})

interface Client {
  readonly socket: Socket
  /** Correlation ids of the responses, in order. */
  readonly answered: number[]
  request(apiKey: number, correlationId: number): void
}

async function newClient(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1')
  const answered: number[] = []
  const frames = new KafkaFrameReader()
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => answered.push(...frames.push(chunk).map(readCorrelationId)))
  const client: Client = {
    socket,
    answered,
    request(apiKey, correlationId) {
      const frame = Buffer.alloc(12)
      frame.writeInt32BE(8, 0)
      frame.writeInt16BE(apiKey, 4)
      frame.writeInt32BE(correlationId, 8)
      socket.write(frame)
    },
  }
  clients.push(client)
  await once(socket, 'connect')
  return client
}

interface FakeBroker {
  readonly port: number
  /** Correlation ids of the requests, in order. */
  readonly received: number[]
  close(): Promise<void>
}

/** Answers every request with its correlation id and nothing else. */
async function startFakeBroker(): Promise<FakeBroker> {
  const received: number[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    const frames = new KafkaFrameReader()
    socket.on('data', (chunk: Buffer) => {
      for (const frame of frames.push(chunk)) {
        const { correlationId } = readRequest(frame)
        received.push(correlationId)
        const response = Buffer.alloc(8)
        response.writeInt32BE(4, 0)
        response.writeInt32BE(correlationId, 4)
        socket.write(response)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // The address of a server that listens on TCP is always an AddressInfo.
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
