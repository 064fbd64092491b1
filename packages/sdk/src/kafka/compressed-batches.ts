/** Unpacks compressed batches one by one, so that one that cannot be unpacked is known by its place and spoils no other. */

/** Bytes of a batch up to its records, and where the fields are that change with them. */
const batchHeaderBytes = 61
const lengthAt = 8
const lengthEnds = 12
const magicAt = 16
const attributesAt = 21
const compressionMask = 0x07

/** Kafka's number of a codec, and its bytes unpacked. */
export type Decompress = (codec: number, bytes: Buffer) => Promise<Buffer>

export interface UnpackedBatches {
  /** The batches before the one that could not be unpacked, or all of them. */
  readonly batches: Buffer
  readonly unreadable?: { readonly offset: bigint; readonly codec: number; readonly cause: unknown }
}

/** The batches of one partition as they would be without compression. Other formats than the present one are left as they are. */
export async function unpackBatches(records: Buffer, decompress: Decompress): Promise<UnpackedBatches> {
  const parts: Buffer[] = []
  let start = 0
  while (start + batchHeaderBytes <= records.length) {
    const end = start + lengthEnds + records.readInt32BE(start + lengthAt)
    // One that was cut off at the end comes whole next time, and one that is too short to be one is for the reader to see.
    if (end > records.length || end < start + batchHeaderBytes) break
    const batch = records.subarray(start, end)
    const codec = batch.readInt16BE(attributesAt) & compressionMask
    if (batch[magicAt] !== 2 || codec === 0) parts.push(batch)
    else
      try {
        parts.push(unpacked(batch, await decompress(codec, batch.subarray(batchHeaderBytes))))
      } catch (cause) {
        return { batches: Buffer.concat(parts), unreadable: { offset: batch.readBigInt64BE(0), codec, cause } }
      }
    start = end
  }
  parts.push(records.subarray(start))
  return { batches: parts.length === 1 ? records : Buffer.concat(parts) }
}

function unpacked(batch: Buffer, records: Buffer): Buffer {
  const whole = Buffer.concat([batch.subarray(0, batchHeaderBytes), records])
  whole.writeInt32BE(whole.length - lengthEnds, lengthAt)
  whole.writeInt16BE(batch.readInt16BE(attributesAt) & ~compressionMask, attributesAt)
  return whole
}
