import { CompressionTypes, type IHeaders, type Producer } from 'kafkajs'
import type { World } from './world.ts'

/** A record as it is sent, byte for byte. */
export interface RawRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: IHeaders
  /** @default false */
  readonly gzip?: boolean
}

export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Sends records past everything that would have kept them from being sent, by a producer that is not the SDK's. */
export async function sendRaw(world: World, records: readonly RawRecord[]): Promise<RecordPlace[]> {
  const producer = world.gauge.kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    const places: RecordPlace[] = []
    for (const record of records) places.push(await sendOne(producer, record))
    return places
  } finally {
    await producer.disconnect()
  }
}

async function sendOne(producer: Producer, record: RawRecord): Promise<RecordPlace> {
  const { topic, partition, key, value, headers = {}, gzip = false } = record
  const [sent] = await producer.send({
    topic,
    compression: gzip ? CompressionTypes.GZIP : CompressionTypes.None,
    messages: [{ partition, key, value, headers }],
  })
  if (sent?.baseOffset === undefined) throw new Error(`the broker did not say where it put a record of ${topic}`)
  return { topic, partition, offset: Number(sent.baseOffset) }
}
