import { API_KEYS, startKafka } from '@evtkit/local-stack'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'

test('a record whose answer was lost is in the log, although its producer was told otherwise', async () => {
  const kafka = await startKafka({ proxy: true, progress: () => {} })
  const client = new Kafka({ brokers: [...kafka.proxiedBrokers], logLevel: logLevel.NOTHING, retry: { retries: 5 } })
  const producer = client.producer({ retry: { retries: 0 } })
  try {
    await client.admin().createTopics({ topics: [{ topic: 'orders' }], waitForLeaders: true })
    await producer.connect()

    const fault = kafka.proxy?.failResponse(API_KEYS.Produce, 7) // REQUEST_TIMED_OUT, after the broker has written
    await expect(producer.send({ topic: 'orders', messages: [{ value: 'o-1' }] })).rejects.toThrow()

    expect(fault?.fired).toBe(1) // or the test has shown nothing
    expect((await kafka.dump('orders')).map(({ value }) => value)).toEqual(['o-1'])
  } finally {
    await producer.disconnect()
    await kafka.stop()
  }
})
