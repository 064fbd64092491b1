import { dayOf } from './date-text.ts'
import { twosComplement, unscaledOf } from './decimal-text.ts'
import { mostEmptyItems, mostNestedRecords } from './limits.ts'
import { largestFloat, largestLong, smallestLong, uuidRule } from './scalar-checks.ts'
import { describeValue } from './validation-trail.ts'
import { isWellFormed } from './well-formed-text.ts'

/** A value that is not of the type it was to be written as; becomes an InvalidEventError, with a path, further up. */
export class UnwritableValueError extends Error {
  constructor(expected: string, got: unknown) {
    super(`expected ${expected}, got ${describeValue(got)}`)
  }
}

const firstSize = 2048
/** One huge record must not keep its memory for as long as the process lives. Bytes. */
const largestKept = 1 << 20
/** Up to here a loop over characters is faster than the call that writes any text, and the length fits into one byte. */
const shortText = 63

/**
 * Writes values as Avro does, into one buffer that is used again for every record and grows when it has to. What `finish`
 * gives is a copy.
 */
export class BinaryWriter {
  #bytes = Buffer.allocUnsafeSlow(firstSize)
  #at = 0
  #emptyItems = 0
  #depth = 0

  /** Begins a record with bytes that stand before it. */
  start(prefix: Buffer): void {
    this.#emptyItems = 0
    this.#depth = 0
    this.#at = prefix.length
    // Byte by byte: a frame is five of them, for which a call costs more.
    for (let i = 0; i < prefix.length; i++) this.#bytes[i] = prefix[i] ?? 0
  }

  /** The bytes written since `start`. */
  finish(): Buffer {
    const record = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(record, 0, 0, this.#at)
    if (this.#bytes.length > largestKept) this.#bytes = Buffer.allocUnsafeSlow(firstSize)
    return record
  }

  refuse(expected: string, got: unknown): never {
    throw new UnwritableValueError(expected, got)
  }

  enter(): void {
    if (++this.#depth > mostNestedRecords) this.refuse(`at most ${mostNestedRecords} records inside each other`, {})
  }

  leave(): void {
    this.#depth--
  }

  /** A number below 128 as one byte, doubled as zigzag does: indexes, and the end of blocks. */
  small(index: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = index << 1
  }

  /** The index of a branch or symbol. */
  index(index: number): void {
    if (index < 64) this.small(index)
    else this.#varint(index * 2)
  }

  /** Begins the one block of an array that is not empty. */
  items(count: number, emptyItems: boolean): void {
    if (emptyItems) {
      this.#emptyItems += count
      if (this.#emptyItems > mostEmptyItems) this.refuse(`at most ${mostEmptyItems} items that take no space`, count)
    }
    this.index(count)
  }

  null(value: unknown): void {
    if (value !== null) this.refuse('null', value)
  }

  boolean(value: unknown): void {
    if (typeof value !== 'boolean') this.refuse('true or false', value)
    this.#reserve(1)
    this.#bytes[this.#at++] = value ? 1 : 0
  }

  int(value: unknown): void {
    if (typeof value !== 'number' || value !== (value | 0)) this.refuse('a whole number of 32 bits', value)
    this.#whole(value)
  }

  long(value: unknown): void {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) this.refuse('a whole number up to ±(2^53-1)', value)
    this.#whole(value)
  }

  bigint(value: unknown): void {
    if (typeof value !== 'bigint' || value < smallestLong || value > largestLong)
      this.refuse('a bigint of 64 bits', value)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    this.#reserve(10)
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#at++] = Number(rest)
  }

  float(value: unknown): void {
    if (typeof value !== 'number' || (Math.abs(value) > largestFloat && Number.isFinite(value)))
      this.refuse('a number that 32 bits can hold', value)
    this.#reserve(4)
    this.#at = this.#bytes.writeFloatLE(value, this.#at)
  }

  double(value: unknown): void {
    if (typeof value !== 'number') this.refuse('a number', value)
    this.#reserve(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  text(value: unknown): void {
    if (typeof value !== 'string') this.refuse('text', value)
    const { length } = value
    if (length > shortText) {
      this.#longText(value)
      return
    }
    this.#reserve(length + 1)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = length << 1
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      // Nothing is lost: the position was not moved yet.
      if (code > 0x7f) {
        this.#longText(value)
        return
      }
      bytes[at++] = code
    }
    this.#at = at
  }

  bytes(value: unknown): void {
    if (!Buffer.isBuffer(value)) this.refuse('a Buffer', value)
    this.index(value.length)
    this.#raw(value)
  }

  fixed(value: unknown, size: number): void {
    if (!Buffer.isBuffer(value) || value.length !== size) this.refuse(`a Buffer of ${size} byte(s)`, value)
    this.#raw(value)
  }

  timestamp(value: unknown): void {
    if (!(value instanceof Date)) this.refuse('a Date', value)
    const time = value.getTime()
    if (Number.isNaN(time)) this.refuse('a moment in time', value)
    this.#whole(time)
  }

  date(value: unknown): void {
    this.#whole((typeof value === 'string' ? dayOf(value) : undefined) ?? this.refuse('a day as YYYY-MM-DD', value))
  }

  /** @param size of a fixed; without one the number is written in the bytes it needs */
  decimal(value: unknown, precision: number, scale: number, size: number | undefined): void {
    const unscaled = typeof value === 'string' ? unscaledOf(value, precision, scale) : undefined
    if (unscaled === undefined) this.refuse(`decimal text of ${precision} digits, scale ${scale}`, value)
    const bytes = twosComplement(unscaled, size)
    if (size === undefined) this.index(bytes.length)
    this.#raw(bytes)
  }

  uuid(value: unknown): void {
    if (typeof value !== 'string' || !uuidRule.test(value)) this.refuse('a UUID', value)
    this.#raw(Buffer.from(value.replaceAll('-', ''), 'hex'))
  }

  #longText(text: string): void {
    if (!isWellFormed(text)) this.refuse('text without half a surrogate pair', text)
    const size = Buffer.byteLength(text)
    this.index(size)
    this.#reserve(size)
    this.#at += this.#bytes.write(text, this.#at, size, 'utf8')
  }

  #raw(bytes: Buffer): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #whole(value: number): void {
    if (value >= -0x40000000 && value < 0x40000000) {
      this.#varint31((value << 1) ^ (value >> 31))
      return
    }
    // Halved before it is doubled: twice the largest numbers would be rounded.
    const half = value < 0 ? -(value + 1) : value
    this.#reserve(10)
    this.#bytes[this.#at++] = (half % 64) * 2 + (value < 0 ? 1 : 0) + 0x80
    this.#varint(Math.floor(half / 64))
  }

  #varint31(zigzag: number): void {
    this.#reserve(5)
    const bytes = this.#bytes
    let at = this.#at
    let rest = zigzag
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.#at = at
  }

  #varint(value: number): void {
    this.#reserve(10)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) + 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + count))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
