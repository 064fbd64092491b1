import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { LocalStackError } from './errors.ts'

// Linux hands out local ports for outgoing connections from 32768 upwards. A server port above that line can be taken by
// some client's connection in the seconds while the server is down for a restart, so only lower ports are used.
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 32_000
const ATTEMPTS = 200

const handedOut = new Set<number>()

/**
 * A TCP port on 127.0.0.1 on which nothing listens, below the range that outgoing connections use.
 * The same process is never given the same port twice; another process may still take it first.
 *
 * @throws LocalStackError `PORT_UNAVAILABLE` when none was found.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT)
    if (handedOut.has(port)) continue
    handedOut.add(port)
    if (await isPortFree(port)) return port
  }
  throw new LocalStackError(
    'PORT_UNAVAILABLE',
    `No free port found on 127.0.0.1 between ${LOWEST_PORT} and ${HIGHEST_PORT} in ${ATTEMPTS} attempts. Stop servers that are no longer needed (ss -ltnp lists them).`,
  )
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** @throws LocalStackError `PORT_UNAVAILABLE` when something listens on the named port. */
export async function requireFreePort(port: number, owner: string): Promise<number> {
  if (await isPortFree(port)) return port
  throw new LocalStackError(
    'PORT_UNAVAILABLE',
    `${owner} was to listen on 127.0.0.1:${port}, but the port is taken. Stop the process that listens there (ss -ltnp lists it) or name another port.`,
  )
}
