/** Fails a file that leaves something running: sockets, servers, child processes or timers that outlive its tests. */
import { afterAll, beforeAll, expect, vi } from 'vitest'

const watched = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeWrap',
  'ProcessWrap',
  'Timeout',
  'FSEventWrap',
  'MessagePort',
])

const counts = () => {
  const found = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo())
    if (watched.has(kind)) found.set(kind, (found.get(kind) ?? 0) + 1)
  return found
}

let before = new Map<string, number>()

beforeAll(() => {
  before = counts()
})

afterAll(async () => {
  // What was closed may need a few turns of the event loop to be gone; what was not never goes.
  await vi.waitFor(
    () => {
      const left = [...counts()].filter(
        ([kind, count]) => count > (before.get(kind) ?? 0) + (kind === 'Timeout' ? 1 : 0),
      )
      expect(left, 'left running after the tests of this file').toEqual([])
    },
    { timeout: 5000, interval: 50 },
  )
}, 10_000)
