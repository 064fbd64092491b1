import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTcpFaultProxy } from './fault-proxy-tcp.ts'
import type { TcpFaultProxy } from './proxy-server.ts'

let server: Server
let proxy: TcpFaultProxy
let served: Socket[]
let clients: Client[]
/** All that the server was sent. */
let heard: string

beforeEach(async () => {
  served = []
  clients = []
  heard = ''
  server = createServer((socket) => {
    served.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      heard += chunk
      socket.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The address of a server that listens on TCP is always an AddressInfo.
  proxy = await createTcpFaultProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})

afterEach(async () => {
  for (const { socket } of clients) socket.destroy()
  await proxy.close()
  for (const socket of served) socket.destroy()
  server.close()
  await once(server, 'close')
})

test('what a slow network passes arrives as it was, in portions', async () => {
  proxy.slow({ latencyMs: 5, portionBytes: 1 })
  const client = await newClient()
  client.socket.write('all of it')
  await expect.poll(() => client.answer).toBe('all of it')
})

test('latency may differ from piece to piece and be in one direction', async () => {
  let asked = 0
  proxy.slow({ latencyMs: () => ++asked, direction: 'response' })
  const client = await newClient()
  client.socket.write('once')
  await expect.poll(() => client.answer).toBe('once')
  expect(asked).toBe(1)
})

test('a connection is cut after so many bytes, and the next one is not', async () => {
  const cut = proxy.cutAfter(4)
  const client = await newClient()
  client.socket.write('abcdef')
  await expect.poll(() => client.socket.closed).toBe(true)
  expect([client.answer, cut.fired]).toEqual(['abcd', 1])
  const next = await newClient()
  next.socket.write('abcdef')
  await expect.poll(() => next.answer).toBe('abcdef')
})

test('bytes towards the server can be counted as well', async () => {
  const cut = proxy.cutAfter(3, { direction: 'request' })
  const client = await newClient()
  client.socket.write('abcdef')
  await cut.whenFired()
  await expect.poll(() => client.socket.closed).toBe(true)
  expect(heard).toBe('abc')
})

test('a half-open connection says nothing, stays, and is not healed; the next one works', async () => {
  const client = await newClient()
  client.socket.write('before')
  await expect.poll(() => client.answer).toBe('before')
  proxy.halfOpen()
  client.socket.write('after')
  proxy.heal()
  const next = await newClient()
  next.socket.write('next')
  await expect.poll(() => next.answer).toBe('next')
  expect([client.answer, client.socket.closed, heard]).toEqual(['before', false, 'beforenext'])
})

test('one connection can be reset while the others go on', async () => {
  const [one, two] = [await newClient(), await newClient()]
  await expect.poll(() => proxy.links.map(({ isOpen }) => isOpen)).toEqual([true, true])
  const errors: string[] = []
  one.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(`${error.code}`))
  proxy.links.find(({ clientPort }) => clientPort === one.socket.localPort)?.reset()
  await expect.poll(() => errors).toEqual(['ECONNRESET'])
  two.socket.write('still here')
  await expect.poll(() => two.answer).toBe('still here')
})

test('a black hole in one direction lets requests arrive and holds their answers back', async () => {
  proxy.blackhole('response')
  const client = await newClient()
  client.socket.write('asked')
  await expect.poll(() => heard).toBe('asked')
  expect(client.answer).toBe('')
  proxy.heal()
  await expect.poll(() => client.answer).toBe('asked')
})

interface Client {
  readonly socket: Socket
  readonly answer: string
}

async function newClient(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => {})
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk
  })
  const client = {
    socket,
    get answer() {
      return answer
    },
  }
  clients.push(client)
  await once(socket, 'connect')
  return client
}
