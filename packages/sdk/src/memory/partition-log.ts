import type { Header, RawMessage } from '../core/message.ts'

/** One record as the log holds it. */
export interface LogRecord {
  readonly partition: number
  readonly offset: bigint
  /** Its own copy of the bytes, with the timestamp that the log gave it when the sender gave none. */
  readonly message: RawMessage & { readonly timestamp: number }
}

/** Whoever reads a log and wants to hear that it has grown. */
export interface LogReader {
  /** Called within a send: must only take note. */
  wake(): void
  /** The log is gone with its topic. */
  abandon(): void
}

/** Most bytes in one read, so that a batch of large records stays small. One record is always read. */
const maxReadBytes = 4 * 1024 * 1024

/** The records of one partition in the order they were appended. */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly readers = new Set<LogReader>()
  #records: LogRecord[] = []
  #low = 0n

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** Offset of the oldest record still there. */
  get low(): bigint {
    return this.#low
  }

  /** Offset that the next record will get. */
  get high(): bigint {
    return this.#low + BigInt(this.#records.length)
  }

  append(message: RawMessage, now: number): void {
    const stored = { ...copyOf(message), timestamp: message.timestamp ?? now }
    this.#records.push({ partition: this.partition, offset: this.high, message: stored })
    for (const reader of this.readers) reader.wake()
  }

  /** Every record, for whoever wants to see the log itself. */
  get records(): LogRecord[] {
    return this.#records.map(copyOfRecord)
  }

  /** Records from `offset` on, each with its own copy of the bytes: what a reader does to them stays with it. */
  read(offset: bigint, maxRecords: number, roomBytes = maxReadBytes): LogRecord[] {
    const start = Number(offset - this.#low)
    const found: LogRecord[] = []
    const most = Math.min(maxReadBytes, roomBytes)
    let bytes = 0
    for (let i = start; i < this.#records.length && found.length < maxRecords; i++) {
      const record = this.#records[i]
      if (record === undefined) break
      bytes += sizeOf(record.message)
      if (found.length > 0 && bytes > most) break
      found.push(copyOfRecord(record))
    }
    return found
  }

  deleteBefore(offset: bigint): void {
    const low = offset > this.high ? this.high : offset
    if (low <= this.#low) return
    this.#records = this.#records.slice(Number(low - this.#low))
    this.#low = low
  }
}

/** Bytes of a record: key, value and headers. */
export function sizeOf({ key, value, headers }: RawMessage): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, header] of headers) bytes += name.length + header.length
  return bytes
}

function copyOfRecord({ partition, offset, message }: LogRecord): LogRecord {
  return { partition, offset, message: { ...copyOf(message), timestamp: message.timestamp } }
}

function copyOf({ topic, key, value, headers }: RawMessage): RawMessage {
  return {
    topic,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: headers.map(([name, bytes]): Header => [name, Buffer.from(bytes)]),
  }
}
