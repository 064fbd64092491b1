/** Reads a buffer in the notations of the Kafka protocol. Reading beyond its end gives nonsense: see {@link ByteReader.isBeyond}. */
export class ByteReader {
  readonly bytes: Buffer
  position: number

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes
    this.position = position
  }

  /** Whether more was read than there is; what was read is worth nothing then. */
  isBeyond(end: number): boolean {
    // Not the other way round: a length that was no number must count as beyond.
    return !(this.position <= end)
  }

  int8(): number {
    const value = this.bytes[this.position++] ?? Number.NaN
    return value < 0x80 ? value : value - 0x100
  }

  int16(): number {
    this.position += 2
    return this.bytes.readInt16BE(this.position - 2)
  }

  int32(): number {
    this.position += 4
    return this.bytes.readInt32BE(this.position - 4)
  }

  int64(): bigint {
    this.position += 8
    return this.bytes.readBigInt64BE(this.position - 8)
  }

  string16(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }

  text(length: number): string {
    const start = this.position
    this.position += length
    return this.bytes.toString('utf8', start, this.position)
  }

  /** A whole number up to 2^52 in as few bytes as it needed. */
  varint(): number {
    let byte = this.bytes[this.position++] ?? Number.NaN
    // Almost all are this short.
    if (byte < 0x80) return byte & 1 ? -(byte + 1) / 2 : byte / 2
    let value = byte & 0x7f
    let scale = 0x80
    do {
      byte = this.bytes[this.position++] ?? Number.NaN
      value += (byte & 0x7f) * scale
      scale *= 0x80
    } while (byte >= 0x80)
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  /** Bytes with their length as a varint in front; a view, not a copy. `null` for none. */
  sized(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const start = this.position
    this.position += length
    return this.bytes.subarray(start, this.position)
  }
}
