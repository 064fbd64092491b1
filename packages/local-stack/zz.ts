import { startKafka } from '@evtkit/local-stack'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'

const k = await startKafka({ dataDir: '/tmp/kk' })
const c = new Kafka({ brokers: [...k.brokers], logLevel: logLevel.ERROR })
const a = c.admin()
await a.connect()
await a.createTopics({ topics: [{ topic: 't.x-y', numPartitions: 2 }] })
await a.disconnect()
const p = c.producer({ idempotent: true })
await p.connect()
await p.send({
  topic: 't.x-y',
  messages: [
    { key: 'k1', value: 'line1\n| offset: 9 CreateTime: 1 payload: x', partition: 0, headers: { a: '1', b: 'x y' } },
    { key: null, value: null, partition: 0 },
    { key: '', value: '', partition: 0 },
    { key: Buffer.from([255, 0, 1]), value: Buffer.from([254, 10, 195]), partition: 0 },
    { key: 'ключ payload: ', value: 'значение', partition: 1 },
  ],
})
await p.send({
  topic: 't.x-y',
  compression: CompressionTypes.GZIP,
  messages: [{ key: 'k1', value: 'zip', partition: 0 }],
})
await p.disconnect()
const tp = c.producer({ idempotent: true, transactionalId: 'tx' })
await tp.connect()
const tx = await tp.transaction()
await tx.send({ topic: 't.x-y', messages: [{ value: 'intx', partition: 0 }] })
await tx.abort()
await tp.disconnect()
await k.stop()
