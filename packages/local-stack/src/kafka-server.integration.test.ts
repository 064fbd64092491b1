import { Kafka, logLevel, type ProducerConfig } from 'kafkajs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { API_KEYS } from './kafka-frame.ts'
import { attachKafka, type KafkaServer, startKafka } from './kafka-server.ts'

let kafka: KafkaServer
let topics = 0
let topic: string

beforeAll(async () => {
  kafka = await startKafka({ proxy: true, progress: () => {} })
})

afterAll(async () => {
  await kafka?.stop()
})

beforeEach(async () => {
  topic = `letters.of-test-${topics++}`
  await withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }))
})

test('the dump tells what was written, to the byte', async () => {
  const messages = [
    { key: 'k', value: 'first\n| offset: 9 CreateTime: 1 keySize: 1 valueSize: 1 \nlast', partition: 1 },
    { key: null, value: null, partition: 0 },
    { key: 'ключ', value: '🚚', partition: 0, headers: { a: '1', b: '2' } },
  ]
  // The first producer id takes a moment to be given out; kafkajs tries that again.
  await produce(kafka.brokers, messages, { idempotent: true, retry: { retries: 10 } })
  const records = await kafka.dump(topic)
  expect(
    records.map(({ partition, offset, key, value, headerKeys }) => [partition, offset, key, value, headerKeys]),
  ).toEqual([
    [0, 0, null, null, []],
    [0, 1, 'ключ', '🚚', ['a', 'b']],
    [1, 0, 'k', 'first\n| offset: 9 CreateTime: 1 keySize: 1 valueSize: 1 \nlast', []],
  ])
  expect(records.every(({ producerId }) => producerId >= 0)).toBe(true)
})

test('a dump of a topic that is not there says so', async () => {
  await expect(kafka.dump('nowhere')).rejects.toMatchObject({ code: 'DUMP_FAILED' })
})

test('a lost produce response leaves the record in the log while its producer is told that it failed', async () => {
  const fault = kafka.proxy?.closeOnResponse(API_KEYS.Produce)
  await expect(produce(kafka.proxiedBrokers, [{ value: 'written', partition: 0 }])).rejects.toThrow()
  expect(fault?.fired).toBe(1)
  expect((await kafka.dump(topic)).map(({ value }) => value)).toEqual(['written'])
})

test('a lost produce request leaves nothing in the log', async () => {
  const fault = kafka.proxy?.closeOnRequest(API_KEYS.Produce)
  await expect(produce(kafka.proxiedBrokers, [{ value: 'never written', partition: 0 }])).rejects.toThrow()
  expect(fault?.fired).toBe(1)
  expect(await kafka.dump(topic)).toEqual([])
})

test('what was acknowledged is there after the server was killed and started again', async () => {
  await produce(kafka.proxiedBrokers, [{ value: 'kept', partition: 0 }])
  const killed = kafka.pid
  await kafka.kill('SIGKILL')
  expect(await kafka.isAlive()).toBe(false)
  await kafka.restart()
  expect(kafka.pid).not.toBe(killed)
  await produce(kafka.proxiedBrokers, [{ value: 'more', partition: 0 }])
  expect((await kafka.dump(topic)).map(({ value }) => value)).toEqual(['kept', 'more'])
})

test('another process can find the server by its data folder', async () => {
  const found = await attachKafka(kafka.dataDir)
  expect(found).toMatchObject({ pid: kafka.pid, brokers: kafka.brokers, logFile: kafka.logFile })
  expect(await attachKafka('/nowhere')).toBeUndefined()
})

function client(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
}

type Letter = { key?: string | null; value: string | null; partition: number; headers?: Record<string, string> }

/** Sends once: what is lost stays lost. */
async function produce(brokers: readonly string[], messages: Letter[], options: ProducerConfig = {}): Promise<void> {
  const producer = client(brokers).producer({ retry: { retries: 0 }, ...options })
  await producer.connect()
  await producer.send({ topic, messages }).finally(() => producer.disconnect())
}

async function withAdmin(work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>): Promise<void> {
  const admin = client(kafka.brokers).admin()
  await admin.connect()
  await work(admin).finally(() => admin.disconnect())
}
