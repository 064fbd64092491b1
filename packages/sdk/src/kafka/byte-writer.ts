/** Fills a buffer that was measured beforehand, in the notations of the Kafka protocol. */
export class ByteWriter {
  readonly bytes: Buffer
  #position = 0

  constructor(bytes: number) {
    this.bytes = Buffer.allocUnsafe(bytes)
  }

  get position(): number {
    return this.#position
  }

  int8(value: number): void {
    this.bytes[this.#position++] = value
  }

  int16(value: number): void {
    this.#position = this.bytes.writeInt16BE(value, this.#position)
  }

  int32(value: number): void {
    this.#position = this.bytes.writeInt32BE(value, this.#position)
  }

  int64(value: bigint): void {
    this.#position = this.bytes.writeBigInt64BE(value, this.#position)
  }

  /** Overwrites four bytes that were written before. */
  uint32At(position: number, value: number): void {
    this.bytes.writeUInt32BE(value, position)
  }

  /** A text with its length in two bytes; -1 for none. */
  string16(text: string | null): void {
    this.int16(text === null ? -1 : Buffer.byteLength(text))
    if (text !== null) this.#position += this.bytes.write(text, this.#position)
  }

  /** A whole number up to 2^52 in as few bytes as it needs, small negative ones included. */
  varint(value: number): void {
    let rest = zigzag(value)
    while (rest > 0x7f) {
      this.bytes[this.#position++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.#position++] = rest
  }

  /** Bytes with their length as a varint; -1 for none. */
  sized(value: Buffer | string | null): void {
    if (value === null) this.varint(-1)
    else if (typeof value === 'string') {
      this.varint(Buffer.byteLength(value))
      this.#position += this.bytes.write(value, this.#position)
    } else {
      this.varint(value.length)
      this.bytes.set(value, this.#position)
      this.#position += value.length
    }
  }
}

/** How many bytes `varint` writes. */
export function varintBytes(value: number): number {
  let rest = zigzag(value)
  let bytes = 1
  while (rest > 0x7f) {
    bytes++
    rest = Math.floor(rest / 0x80)
  }
  return bytes
}

/** How many bytes `sized` writes. */
export function sizedBytes(value: Buffer | string | null): number {
  if (value === null) return 1
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length
  return varintBytes(length) + length
}

/** Non-negative numbers become even, negative ones odd. By arithmetic, because a difference of timestamps may not fit 32 bits. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1
}
