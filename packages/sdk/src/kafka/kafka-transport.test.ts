import { expect, test, vi } from 'vitest'
import { ClosedError, InvalidConfigurationError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { createKafka } from './kafka-transport.ts'

const subscription = {
  group: 'g',
  topics: ['t'],
  stallMs: 1000,
  handle: async () => ({ next: 0n, retryInMs: 0 }),
  onStatus: () => {},
}

test('options that cannot work are refused when the transport is created', () => {
  expect(() => createKafka({ brokers: [] })).toThrow(InvalidConfigurationError)
  expect(() => createKafka({ brokers: ['localhost:1'], sessionTimeoutMs: 5000, heartbeatIntervalMs: 2000 })).toThrow(
    'heartbeatIntervalMs (2000) must be at most a third of sessionTimeoutMs (5000)',
  )
})

test('a broker with a password in it is refused without saying it', () => {
  const create = () => createKafka({ brokers: ['localhost:1', 'user:hunter2@localhost:9092'] })
  expect(create).toThrow('broker 2 of 2 is not "host:port"')
  expect(create).not.toThrow('hunter2')
})

test.each(['localhost', 'kafka://localhost:9092', 'localhost:', ':9092', 'localhost:0', 'localhost:99999', '::1:9092'])(
  'the broker "%s" is refused',
  (broker) => {
    expect(() => createKafka({ brokers: ['localhost:1', broker] })).toThrow(`broker "${broker}" is not "host:port"`)
  },
)

test.each(['[::1]:9092', '127.0.0.1:9092', 'kafka_1.example:9092'])('the broker "%s" is taken', async (broker) => {
  await createKafka({ brokers: [broker], logger: silentLogger }).close()
})

test('a subscription without a group or topics is refused', async () => {
  const kafka = createKafka({ brokers: ['localhost:1'], logger: silentLogger })
  await expect(kafka.subscribe({ ...subscription, group: '' })).rejects.toThrow(InvalidConfigurationError)
  await expect(kafka.subscribe({ ...subscription, topics: [] })).rejects.toThrow(InvalidConfigurationError)
  await kafka.close()
})

test('a password in clear text is warned of, and never shown', () => {
  const warn = vi.fn()
  createKafka({
    brokers: ['localhost:1'],
    logger: { ...silentLogger, warn },
    sasl: { mechanism: 'plain', username: 'user', password: 'canary' },
  })
  expect(warn).toHaveBeenCalledOnce()
  expect(JSON.stringify(warn.mock.calls)).not.toContain('canary')
})

test('nothing works once it is closed', async () => {
  const kafka = createKafka({ brokers: ['localhost:1'], logger: silentLogger })
  await kafka.close()
  await expect(kafka.send([])).rejects.toThrow(ClosedError)
  await expect(kafka.subscribe(subscription)).rejects.toThrow(ClosedError)
  await expect(kafka.listTopics()).rejects.toThrow(ClosedError)
})
