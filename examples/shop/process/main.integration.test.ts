import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startFile } from '../../../test/child.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

test('a part that is told to end ends with 0', async () => {
  const part = startFile(main, ['payment-provider'], { PORT: '0', SHOP_URL_PAYMENTS: 'http://127.0.0.1:1' })
  await part.said('"running"')
  part.kill('SIGTERM')
  expect(await part.exited).toEqual({ code: 0, signal: null })
  expect(part.output).toContain('the process ends (SIGTERM)')
})

test('a service that is told to end while it waits for its database and broker ends with 0', async () => {
  const part = startFile(main, ['orders'], {
    PORT: '0',
    SHOP_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/orders',
    KAFKA_BROKERS: '127.0.0.1:1',
    SHOP_CODEC: 'json',
  })
  await part.said('database: attempt 1 failed')
  part.kill('SIGTERM')
  expect(await part.exited).toEqual({ code: 0, signal: null })
})

test('a part that does not exist ends with 2 and says which do', async () => {
  const part = startFile(main, ['warehouse'])
  expect(await part.exited).toEqual({ code: 2, signal: null })
  expect(part.output).toContain('usage: main.ts <part>, one of gateway, orders')
})
