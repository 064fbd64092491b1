import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { runEvt, startEvt } from './testing/run-evt.ts'

test('the built evt prints its help', async () => {
  const { code, stdout, stderr } = await runEvt(['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Usage: evt')
})

test('a reader that closes the pipe ends evt quietly', async () => {
  const child = await startEvt(['--help'])
  child.stdout?.destroy()
  let err = ''
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  expect(await once(child, 'close')).toEqual([0, null])
  expect(err).toBe('')
})

test('Ctrl-C ends a command that waits for a broker with 130', async () => {
  const mute = createServer().listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const address = mute.address()
  const port = typeof address === 'object' ? address?.port : 0
  const child = await startEvt(['topics', 'list', '--brokers', `127.0.0.1:${port}`])
  const closed = once(child, 'close')
  const [socket] = await once(mute, 'connection')
  child.kill('SIGINT')
  expect(await closed).toEqual([130, null])
  socket.destroy()
  mute.close()
  await once(mute, 'close')
})
