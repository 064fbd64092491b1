import { ByteReader } from './byte-reader.ts'
import type { FetchedRecord } from './kafkajs-fetched-record.ts'
import { readRecordBatches } from './record-batch-reader.ts'

/** A fetch response of version 11, as kafkajs names its parts. */
export interface FetchResponseBody {
  readonly throttleTime: 0
  readonly clientSideThrottleTime: number
  readonly errorCode: number
  readonly sessionId: number
  readonly responses: readonly { readonly topicName: string | null; readonly partitions: readonly FetchedPartition[] }[]
}

export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  readonly lastStartOffset: string
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[]
  readonly preferredReadReplica: number
  readonly messages: readonly FetchedRecord[]
}

/** A partition whose records are still bytes. */
type PartitionBytes = Omit<FetchedPartition, 'messages'> & { readonly records: Buffer }

type ResponseBytes = Omit<FetchResponseBody, 'responses'> & {
  readonly responses: readonly { readonly topicName: string | null; readonly partitions: readonly PartitionBytes[] }[]
}

/** Gives batches without compression in place of those that have some. */
type Unpack = (records: Buffer, place: { readonly topic: string; readonly partition: number }) => Promise<Buffer>

/**
 * Reads a fetch response of version 11. `undefined` when it holds something that is not read here (compressed records,
 * the format before Kafka 0.11) or does not add up, so that somebody else may try.
 */
export function decodeFetchResponse(bytes: Buffer): FetchResponseBody | undefined {
  const response = readResponse(bytes)
  if (response === undefined) return undefined
  const responses: FetchResponseBody['responses'][number][] = []
  for (const { topicName, partitions } of response.responses) {
    const read: FetchedPartition[] = []
    for (const { records, ...fields } of partitions) {
      const messages = readRecords(records)
      if (messages === undefined) return undefined
      read.push({ ...fields, messages })
    }
    responses.push({ topicName, partitions: read })
  }
  return { ...response, responses }
}

/** The same for a response that may hold compressed batches. */
export async function decodeCompressedFetchResponse(
  bytes: Buffer,
  unpack: Unpack,
): Promise<FetchResponseBody | undefined> {
  const response = readResponse(bytes)
  if (response === undefined) return undefined
  const responses: FetchResponseBody['responses'][number][] = []
  for (const { topicName, partitions } of response.responses) {
    const read: FetchedPartition[] = []
    for (const { records, ...fields } of partitions) {
      const place = { topic: topicName ?? '', partition: fields.partition }
      const messages = readRecords(await unpack(records, place))
      if (messages === undefined) return undefined
      read.push({ ...fields, messages })
    }
    responses.push({ topicName, partitions: read })
  }
  return { ...response, responses }
}

function readRecords(records: Buffer): FetchedRecord[] | undefined {
  try {
    return readRecordBatches(records)
  } catch (error) {
    // A read beyond the end of the buffer.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readResponse(bytes: Buffer): ResponseBytes | undefined {
  try {
    return readTopics(new ByteReader(bytes))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readTopics(reader: ByteReader): ResponseBytes | undefined {
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  const sessionId = reader.int32()
  const responses: ResponseBytes['responses'][number][] = []
  const topics = reader.int32()
  for (let i = 0; i < topics; i++) {
    const topicName = reader.string16()
    const partitions: PartitionBytes[] = []
    const count = reader.int32()
    for (let j = 0; j < count; j++) {
      const partition = readPartition(reader)
      if (partition === undefined) return undefined
      partitions.push(partition)
    }
    responses.push({ topicName, partitions })
  }
  // The throttling of these versions is left to the client, which kafkajs does when the first is 0.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

function readPartition(reader: ByteReader): PartitionBytes | undefined {
  const fields = {
    partition: reader.int32(),
    errorCode: reader.int16(),
    highWatermark: String(reader.int64()),
    lastStableOffset: String(reader.int64()),
    lastStartOffset: String(reader.int64()),
    abortedTransactions: readAborted(reader),
    preferredReadReplica: reader.int32(),
  }
  const size = reader.int32()
  const start = reader.position
  reader.position += Math.max(0, size)
  if (reader.isBeyond(reader.bytes.length)) return undefined
  return { ...fields, records: reader.bytes.subarray(start, reader.position) }
}

function readAborted(reader: ByteReader): FetchedPartition['abortedTransactions'] {
  const aborted: FetchedPartition['abortedTransactions'][number][] = []
  const count = reader.int32()
  for (let i = 0; i < count; i++)
    aborted.push({ producerId: String(reader.int64()), firstOffset: String(reader.int64()) })
  return aborted
}
