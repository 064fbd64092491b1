import { afterEach, expect, test, vi } from 'vitest'
import { locateKafka, provideKafka } from './kafka.ts'
import { locatePostgres, providePostgres } from './postgres.ts'
import { locateRegistry, provideRegistry } from './registry.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('a Kafka named by the environment comes before any other and is not ours to stop', async () => {
  vi.stubEnv('KAFKA_BROKERS', 'one:9092, two:9092,')
  const kafka = await provideKafka()
  expect(kafka).toMatchObject({ origin: 'external', brokers: ['one:9092', 'two:9092'] })
  await kafka.stop({ removeData: true })
})

test('a PostgreSQL named by the environment comes before any other and is not ours to stop', async () => {
  vi.stubEnv('DATABASE_URL', 'postgres://someone@db:5432/theirs')
  const postgres = await providePostgres()
  expect(postgres).toMatchObject({ origin: 'external', url: 'postgres://someone@db:5432/theirs' })
  await postgres.stop({ removeData: true })
})

test('a schema registry named by the environment comes before any other and is not ours to stop', async () => {
  vi.stubEnv('SCHEMA_REGISTRY_URL', 'http://registry:8081')
  const registry = await provideRegistry()
  expect(registry).toMatchObject({ origin: 'external', url: 'http://registry:8081' })
  await registry.stop({ removeData: true })
})

test('looking for what runs starts nothing', async () => {
  vi.stubEnv('KAFKA_BROKERS', undefined)
  vi.stubEnv('DATABASE_URL', undefined)
  vi.stubEnv('SCHEMA_REGISTRY_URL', undefined)
  expect(await locateKafka({ dataDir: '/nowhere' })).toBeUndefined()
  expect(await locatePostgres({ dataDir: '/nowhere' })).toBeUndefined()
  expect(await locateRegistry({ dataDir: '/nowhere' })).toBeUndefined()
})
