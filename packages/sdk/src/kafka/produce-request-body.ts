import { ByteWriter, sizedBytes, varintBytes } from './byte-writer.ts'
import { crc32c } from './crc32c.ts'

/** A message as it is handed to kafkajs. */
export interface ProduceMessage {
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  /** Milliseconds since the epoch. */
  readonly timestamp?: string | number | null
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>
}

export interface ProducePartition {
  readonly partition: number
  readonly firstSequence?: number
  readonly messages: readonly ProduceMessage[]
}

/** What a produce request of versions 3 to 7 holds, without compression. */
export interface ProduceRequestBody {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string | null
  /** Anything whose text is the number. */
  readonly producerId?: { toString(): string }
  readonly producerEpoch?: number
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly ProducePartition[] }[]
}

/** Bytes of a record batch in front of its records, and of what of them the checksum leaves out. */
const batchHeaderBytes = 61
const uncheckedBytes = 21

/**
 * The bytes of a produce request after its header: measured first, then written into one buffer of just that size.
 * `now` is the timestamp of messages that have none.
 */
export function encodeProduceRequest(body: ProduceRequestBody, now: number): Buffer {
  const transactionalId = body.transactionalId ?? null
  const plans = body.topicData.map(({ partitions }) => partitions.map(({ messages }) => planBatch(messages, now)))
  let bytes = 2 + (transactionalId === null ? 0 : Buffer.byteLength(transactionalId)) + 2 + 4 + 4
  for (const [i, { topic }] of body.topicData.entries()) {
    bytes += 2 + Buffer.byteLength(topic) + 4
    for (const plan of plans[i] ?? []) bytes += 4 + 4 + plan.bytes
  }

  const out = new ByteWriter(bytes)
  out.string16(transactionalId)
  out.int16(body.acks)
  out.int32(body.timeout)
  out.int32(body.topicData.length)
  for (const [i, { topic, partitions }] of body.topicData.entries()) {
    out.string16(topic)
    out.int32(partitions.length)
    for (const [j, partition] of partitions.entries()) {
      const plan = plans[i]?.[j]
      if (plan === undefined) continue
      out.int32(partition.partition)
      out.int32(plan.bytes)
      writeBatch(out, body, partition, plan)
    }
  }
  return out.bytes
}

interface BatchPlan {
  readonly bytes: number
  readonly firstTimestamp: number
  readonly maxTimestamp: number
  readonly records: readonly RecordPlan[]
}

type HeaderPair = readonly [name: string, value: Buffer | string]

interface RecordPlan {
  /** Without the length in front. */
  readonly bytes: number
  readonly timestampDelta: number
  readonly headers: readonly HeaderPair[]
}

function planBatch(messages: readonly ProduceMessage[], now: number): BatchPlan {
  let firstTimestamp = Number.POSITIVE_INFINITY
  let maxTimestamp = Number.NEGATIVE_INFINITY
  for (const { timestamp } of messages) {
    if (timestamp === undefined || timestamp === null) continue
    firstTimestamp = Math.min(firstTimestamp, Number(timestamp))
    maxTimestamp = Math.max(maxTimestamp, Number(timestamp))
  }
  if (firstTimestamp > maxTimestamp) firstTimestamp = maxTimestamp = now
  let bytes = batchHeaderBytes
  const records = messages.map((message, offsetDelta): RecordPlan => {
    const timestampDelta = Number(message.timestamp ?? now) - firstTimestamp
    const headers = headersOf(message)
    const body =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      sizedBytes(message.key ?? null) +
      sizedBytes(message.value) +
      headersBytes(headers)
    bytes += varintBytes(body) + body
    return { bytes: body, timestampDelta, headers }
  })
  return { bytes, firstTimestamp, maxTimestamp, records }
}

function writeBatch(
  out: ByteWriter,
  body: ProduceRequestBody,
  { messages, firstSequence }: ProducePartition,
  plan: BatchPlan,
) {
  const start = out.position
  out.int64(0n)
  out.int32(plan.bytes - 12)
  out.int32(0)
  out.int8(2)
  const checksumAt = out.position
  out.int32(0)
  out.int16(body.transactionalId ? 0x10 : 0)
  out.int32(messages.length - 1)
  out.int64(BigInt(plan.firstTimestamp))
  out.int64(BigInt(plan.maxTimestamp))
  out.int64(BigInt(String(body.producerId ?? -1)))
  out.int16(body.producerEpoch ?? 0)
  out.int32(firstSequence ?? 0)
  out.int32(messages.length)
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]
    const record = plan.records[i]
    if (message === undefined || record === undefined) continue
    out.varint(record.bytes)
    out.int8(0)
    out.varint(record.timestampDelta)
    out.varint(i)
    out.sized(message.key ?? null)
    out.sized(message.value)
    out.varint(record.headers.length)
    for (const [name, value] of record.headers) {
      out.sized(name)
      out.sized(value)
    }
  }
  out.uint32At(checksumAt, crc32c(out.bytes, start + uncheckedBytes, out.position))
}

/** A name whose value is a list stands for a header each. */
function headersOf({ headers = {} }: ProduceMessage): HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    if (typeof value === 'string' || Buffer.isBuffer(value)) pairs.push([name, value])
    else for (const one of value) pairs.push([name, one])
  }
  return pairs
}

function headersBytes(headers: readonly HeaderPair[]): number {
  let bytes = varintBytes(headers.length)
  for (const [name, value] of headers) bytes += sizedBytes(name) + sizedBytes(value)
  return bytes
}
