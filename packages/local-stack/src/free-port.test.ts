import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { findFreePort, isPortFree, requireFreePort } from './free-port.ts'

test('a found port can be listened on and lies below the range of outgoing connections', async () => {
  const port = await findFreePort()
  expect(port).toBeLessThan(32_768)
  expect(await isPortFree(port)).toBe(true)
})

test('no port is handed out twice', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, findFreePort))
  expect(new Set(ports).size).toBe(ports.length)
})

test('a taken port is refused by name', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The address of a server that listens on TCP is always an AddressInfo.
  const { port } = server.address() as AddressInfo
  expect(await isPortFree(port)).toBe(false)
  await expect(requireFreePort(port, 'Kafka')).rejects.toMatchObject({
    code: 'PORT_UNAVAILABLE',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  })
  server.close()
  await once(server, 'close')
})
