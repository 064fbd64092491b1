import { isUtf8 } from 'node:buffer'
import { UndecodableRecordError } from '../core/errors.ts'
import { dateText } from './date-text.ts'
import { decimalText, fromTwosComplement } from './decimal-text.ts'
import { uuidText } from './default-factory.ts'
import { mostEmptyItems, mostNestedRecords } from './limits.ts'
import { NameCache } from './name-cache.ts'
import { shortText } from './short-text.ts'

/** More bytes than any whole number of 64 bits takes. */
const longestVarint = 10
const latestTime = 8.64e15

/** What `toString('utf8')` calls after looking at its arguments, which takes as long again. Every Node has it, and no declaration. */
type FastBuffer = Buffer & { utf8Slice?(start: number, end: number): string }

function textOf(bytes: FastBuffer, at: number, end: number): string {
  return bytes.utf8Slice === undefined ? bytes.toString('utf8', at, end) : bytes.utf8Slice(at, end)
}

/**
 * Reads values as Avro wrote them. Whatever the bytes say, it reads no further than they go, and makes no more of them
 * than their number allows.
 *
 * @throws UndecodableRecordError from every method, with what was expected, where, and what came.
 */
export class BinaryReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #emptyItems = 0
  readonly #names = new NameCache()
  #depth = 0

  open(bytes: Buffer, at: number): void {
    this.#bytes = bytes
    this.#at = at
    this.#emptyItems = 0
    this.#depth = 0
  }

  /** Checks that nothing is left. */
  end(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) this.fail('the end of the record', `${left} more byte(s)`)
  }

  fail(expected: string, got: string): never {
    throw new UndecodableRecordError(
      `expected ${expected} at byte ${this.#at} of a record of ${this.#bytes.length}, got ${got}; it was cut, damaged, or written with another schema`,
    )
  }

  /** What was written has no place in the schema that is read. */
  mismatch(message: string): never {
    throw new UndecodableRecordError(
      `expected a record that this consumer's schema can read, got one that it cannot: ${message}`,
    )
  }

  enter(): void {
    if (++this.#depth > mostNestedRecords) this.fail(`at most ${mostNestedRecords} records inside each other`, 'more')
  }

  leave(): void {
    this.#depth--
  }

  null(): null {
    return null
  }

  boolean(): boolean {
    const byte = this.#bytes[this.#at]
    if (byte !== 0 && byte !== 1)
      return this.fail('true or false as 1 or 0', byte === undefined ? 'the end' : `${byte}`)
    this.#at++
    return byte === 1
  }

  int(): number {
    const value = this.#whole()
    return value === (value | 0) ? value : this.fail('a whole number of 32 bits', `${value}`)
  }

  long(): number {
    const value = this.#whole()
    return Number.isSafeInteger(value)
      ? value
      : this.fail('a whole number up to ±(2^53-1) (mark the type "js": "bigint" for larger ones)', `about ${value}`)
  }

  bigint(): bigint {
    let zigzag = 0n
    for (let i = 0; i < longestVarint; i++) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) break
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return zigzag < 1n << 64n ? (zigzag >> 1n) ^ -(zigzag & 1n) : this.#noNumber()
    }
    return this.#noNumber()
  }

  /** A whole number read as a fraction, which may round it as Avro does. */
  rounded(): number {
    return this.#whole()
  }

  /** A whole number read as a fraction of 32 bits. */
  roundedFloat(): number {
    return Math.fround(this.#whole())
  }

  float(): number {
    const at = this.#take(4, 'a number')
    return this.#bytes.readFloatLE(at)
  }

  double(): number {
    const at = this.#take(8, 'a number')
    return this.#bytes.readDoubleLE(at)
  }

  text(): string {
    const size = this.#length()
    const at = this.#take(size, 'text')
    const bytes = this.#bytes
    const short = shortText(bytes, at, size)
    return short ?? this.#anyText(bytes, at, at + size)
  }

  /** The name of an entry in a map. */
  name(): string {
    const size = this.#length()
    const at = this.#take(size, 'a name')
    const bytes = this.#bytes
    const known = this.#names.find(bytes, at, size)
    if (known !== undefined) return known
    return this.#names.keep(shortText(bytes, at, size) ?? this.#anyText(bytes, at, at + size), bytes, at, size)
  }

  bytes(): Buffer {
    return this.fixed(this.#length())
  }

  fixed(size: number): Buffer {
    const at = this.#take(size, 'bytes')
    // A copy: the record it came in may be one of many in a buffer that the client uses again.
    return Buffer.from(this.#bytes.subarray(at, at + size))
  }

  timestamp(): Date {
    const time = this.#whole()
    return Math.abs(time) <= latestTime
      ? new Date(time)
      : this.fail('a moment that a Date can hold', `about ${time} ms`)
  }

  date(): string {
    const day = this.int()
    return dateText(day) ?? this.fail('a day of the years 0 to 9999', `day ${day}`)
  }

  /** @param size of a fixed; without one the number's bytes are counted in front of it */
  decimal(precision: number, scale: number, written: number, size: number | undefined): string {
    const length = size ?? this.#length()
    // Turning more bytes than the digits can need into text takes longer than anyone would wait.
    if (size === undefined && length > Math.max(precision, 32))
      this.fail(`a decimal of ${precision} digits`, `${length} byte(s)`)
    const at = this.#take(length, 'a decimal')
    let unscaled = fromTwosComplement(this.#bytes.subarray(at, at + length))
    if (scale > written) unscaled *= 10n ** BigInt(scale - written)
    if (scale < written) {
      const lost = 10n ** BigInt(written - scale)
      if (unscaled % lost !== 0n) this.fail(`a decimal of scale ${scale}`, `one of scale ${written} with more digits`)
      unscaled /= lost
    }
    const digits = String(unscaled).length - (unscaled < 0n ? 1 : 0)
    if (digits > precision) this.fail(`a decimal of ${precision} digits`, `one of ${digits}`)
    return decimalText(unscaled, scale)
  }

  uuid(): string {
    return uuidText(this.fixed(16))
  }

  /** The index of a branch or symbol, one of `count`. */
  index(count: number): number {
    const index = this.#whole()
    return index >= 0 && index < count
      ? index
      : this.fail(`a number below ${count}, which names a branch or symbol`, `${index}`)
  }

  /** How many items the next block of an array or map has; 0 at its end. No more than its bytes can hold. */
  block(fewestBytes: number): number {
    let count = this.#whole()
    if (count < 0) {
      count = -count
      // How many bytes the block has, for those who skip it.
      const size = this.#whole()
      if (size < 0 || size > this.#left())
        this.fail('a block of items', `one of ${size} bytes where ${this.#left()} are left`)
    }
    if (fewestBytes === 0) {
      this.#emptyItems += count
      if (this.#emptyItems > mostEmptyItems)
        this.fail(`at most ${mostEmptyItems} items that take no space`, `${count} more`)
    } else if (count * fewestBytes > this.#left())
      this.fail('a block of items', `${count} of at least ${fewestBytes} byte(s) where ${this.#left()} are left`)
    return count
  }

  skipVarint(): void {
    this.#whole()
  }

  skipBytes(): void {
    this.skip(this.#length())
  }

  skip(size: number): void {
    this.#take(size, 'bytes')
  }

  #anyText(bytes: Buffer, at: number, end: number): string {
    const text = textOf(bytes, at, end)
    // Decoding puts U+FFFD in the place of what is wrong; only then it is worth looking at the bytes.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(at, end)))
      this.fail('text in UTF-8', `${end - at} byte(s) before it that are not`)
    return text
  }

  #left(): number {
    return this.#bytes.length - this.#at
  }

  #length(): number {
    // Nearly all of them are one byte.
    const byte = this.#bytes[this.#at]
    if (byte !== undefined && byte < 0x80 && (byte & 1) === 0) {
      this.#at++
      return byte >> 1
    }
    const length = this.#whole()
    return length >= 0 ? length : this.fail('a length', `${length}`)
  }

  /** Moves behind the next bytes, and gives where they begin. */
  #take(size: number, what: string): number {
    const at = this.#at
    if (size > this.#bytes.length - at) this.fail(`${what} of ${size} byte(s)`, `${this.#bytes.length - at} byte(s)`)
    this.#at = at + size
    return at
  }

  /** Exact up to ±(2^53-1), and beyond it enough to tell that it is. */
  #whole(): number {
    const bytes = this.#bytes
    const first = bytes[this.#at]
    if (first !== undefined && first < 0x80) {
      this.#at++
      return (first >> 1) ^ -(first & 1)
    }
    let at = this.#at
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return this.#noNumber()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#at = at
        return (low >>> 1) ^ -(low & 1)
      }
    }
    let high = 0
    for (let scale = 1, end = at + longestVarint - 4; at < end; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) return this.#noNumber()
      high += (byte & 0x7f) * scale
      if (byte < 0x80) {
        // Written with more than 64 bits, so that it says nothing.
        if (high >= 2 ** 36) return this.#noNumber()
        this.#at = at
        // Half of the zigzag form, in two parts: the whole of it has a bit more than a number can hold.
        const half = high * 2 ** 27 + (low >>> 1)
        return low & 1 ? -half - 1 : half
      }
    }
    return this.#noNumber()
  }

  #noNumber(): never {
    this.fail('a whole number of at most ten bytes', 'one that does not end')
  }
}
