import { expect, test } from 'vitest'
import { partEnvironment } from './part-environment.ts'
import { StackError } from './stack-error.ts'
import { stackFolder } from './stack-folder.ts'
import { emptyState, type StackState } from './stack-state.ts'

const folder = stackFolder('/srv/stack')

const state: StackState = {
  version: 1,
  kafka: { origin: 'external', running: true, address: 'a:1,b:2', restarts: 0 },
  postgres: { origin: 'external', running: true, address: 'postgres://me:secret@db:5432/postgres', restarts: 0 },
  parts: {
    orders: { port: 1001, restarts: 0 },
    gateway: { port: 1002, restarts: 0 },
    'mail-sink': { port: 1003, smtpPort: 1004, restarts: 0 },
    'payment-provider': { port: 1005, restarts: 0 },
  },
}

test('a service is told its port, its own database, the broker and where the others are', () => {
  expect(partEnvironment('orders', state, folder)).toEqual({
    PORT: '1001',
    KAFKA_BROKERS: 'a:1,b:2',
    SHOP_CODEC: 'json',
    SHOP_SESSION_TIMEOUT_MS: '6000',
    SHOP_DATABASE_URL: 'postgres://me:secret@db:5432/shop_orders',
    SMTP_URL: 'smtp://127.0.0.1:1004',
    SHOP_URL_ORDERS: 'http://127.0.0.1:1001',
    SHOP_URL_GATEWAY: 'http://127.0.0.1:1002',
    SHOP_URL_MAIL_SINK: 'http://127.0.0.1:1003',
    SHOP_URL_PAYMENT_PROVIDER: 'http://127.0.0.1:1005',
  })
})

test('a stack on Avro tells its parts so, and where the schemas are', () => {
  const registry = { origin: 'process', running: true, address: 'http://127.0.0.1:1/api', restarts: 0 } as const
  expect(partEnvironment('orders', { ...state, codec: 'avro', registry }, folder)).toMatchObject({
    SHOP_CODEC: 'avro',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1/api',
  })
})

test('the gateway is given no database', () => {
  expect(partEnvironment('gateway', state, folder)).not.toHaveProperty('SHOP_DATABASE_URL')
})

test('the world outside remembers across restarts', () => {
  expect(partEnvironment('mail-sink', state, folder)).toMatchObject({
    SMTP_PORT: '1004',
    SHOP_MAIL_FILE: '/srv/stack/outside/mails',
  })
  expect(partEnvironment('payment-provider', state, folder)).toMatchObject({
    SHOP_LEDGER_FILE: '/srv/stack/outside/ledger',
  })
})

test('a stack that was never up starts nothing', () => {
  expect(() => partEnvironment('orders', emptyState, folder)).toThrow(StackError)
})
