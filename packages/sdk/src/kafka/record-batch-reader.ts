import { ByteReader } from './byte-reader.ts'
import { type BatchContext, FetchedRecord } from './kafkajs-fetched-record.ts'

/** Bytes from the start of a batch to its length, inclusive, and to its records. */
const lengthEnds = 12
const batchHeaderBytes = 61

const compressionMask = 0x07
const logAppendTimeFlag = 0x08
const transactionalFlag = 0x10
const controlFlag = 0x20

/**
 * The records of a partition's answer to a fetch. A batch that was cut off at the end is left out, as it comes whole next
 * time. `undefined` when there is anything else than uncompressed batches of the present format.
 */
export function readRecordBatches(bytes: Buffer): FetchedRecord[] | undefined {
  const records: FetchedRecord[] = []
  let start = 0
  while (start + batchHeaderBytes <= bytes.length) {
    const end = start + lengthEnds + bytes.readInt32BE(start + 8)
    if (end > bytes.length) break
    if (end < start + batchHeaderBytes || !readBatch(new ByteReader(bytes, start), end, records)) return undefined
    start = end
  }
  return records
}

/** Appends the records of one batch; tells whether it could. */
function readBatch(reader: ByteReader, end: number, records: FetchedRecord[]): boolean {
  const firstOffset = reader.int64()
  reader.position += 4
  const partitionLeaderEpoch = reader.int32()
  const magicByte = reader.int8()
  // The checksum is left unchecked, as by kafkajs: the broker checked it, and TCP what came after.
  reader.position += 4
  const attributes = reader.int16()
  if (magicByte !== 2 || (attributes & compressionMask) !== 0) return false
  const lastOffsetDelta = reader.int32()
  const firstTimestamp = reader.int64()
  const maxTimestamp = reader.int64()
  const producerId = reader.int64()
  const batchContext: BatchContext = {
    firstOffset: String(firstOffset),
    firstTimestamp: String(firstTimestamp),
    partitionLeaderEpoch,
    inTransaction: (attributes & transactionalFlag) !== 0,
    isControlBatch: (attributes & controlFlag) !== 0,
    lastOffsetDelta,
    producerId: String(producerId),
    producerEpoch: reader.int16(),
    firstSequence: reader.int32(),
    maxTimestamp: String(maxTimestamp),
    timestampType: (attributes & logAppendTimeFlag) !== 0 ? 1 : 0,
    magicByte,
  }
  const count = reader.int32()
  const origin = { offset: Number(firstOffset), timestamp: Number(firstTimestamp) }
  if (!Number.isSafeInteger(origin.offset) || !Number.isSafeInteger(origin.timestamp)) return false
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader, origin, batchContext)
    if (record === undefined || reader.isBeyond(end)) return false
    records.push(record)
  }
  return true
}

function readRecord(
  reader: ByteReader,
  origin: { readonly offset: number; readonly timestamp: number },
  batchContext: BatchContext,
): FetchedRecord | undefined {
  const length = reader.varint()
  const end = reader.position + length
  const attributes = reader.int8()
  const timestamp = origin.timestamp + reader.varint()
  const offset = origin.offset + reader.varint()
  const key = reader.sized()
  const value = reader.sized()
  if (reader.isBeyond(end)) return undefined
  const record = new FetchedRecord({
    attributes,
    timestamp: batchContext.timestampType === 1 ? batchContext.maxTimestamp : String(timestamp),
    offset: String(offset),
    key,
    value,
    batchContext,
    bytes: reader.bytes,
    headersAt: reader.position,
  })
  reader.position = end
  return record
}
