import type { IHeaders } from 'kafkajs'
import type { Header } from '../core/message.ts'
import { ByteReader } from './byte-reader.ts'
import { toKafkajsHeaders } from './kafkajs-message.ts'

/** What the records of one batch have in common, as kafkajs names it. */
export interface BatchContext {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly partitionLeaderEpoch: number
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly maxTimestamp: string
  readonly timestampType: 0 | 1
  readonly magicByte: number
}

export interface RecordFields {
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly batchContext: BatchContext
  /** The batch, and where in it the record's headers start. */
  readonly bytes: Buffer
  readonly headersAt: number
}

/** One record of a fetch response. Its headers stay bytes until somebody looks. */
export class FetchedRecord {
  readonly magicByte: number
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly isControlRecord: boolean
  readonly batchContext: BatchContext
  readonly #bytes: Buffer
  readonly #headersAt: number

  constructor({ attributes, timestamp, offset, key, value, batchContext, bytes, headersAt }: RecordFields) {
    this.magicByte = batchContext.magicByte
    this.attributes = attributes
    this.timestamp = timestamp
    this.offset = offset
    this.key = key
    this.value = value
    this.isControlRecord = batchContext.isControlBatch
    this.batchContext = batchContext
    this.#bytes = bytes
    this.#headersAt = headersAt
  }

  /** In the order of the log, names that repeat included. */
  get headerPairs(): Header[] {
    const reader = new ByteReader(this.#bytes, this.#headersAt)
    const count = reader.varint()
    const pairs: Header[] = []
    for (let i = 0; i < count; i++) {
      const name = reader.text(reader.varint())
      const value = reader.sized()
      // A header without a value is no header of ours: there is nothing to hand over.
      if (value !== null) pairs.push([name, value])
    }
    return pairs
  }

  /** For kafkajs's own users. */
  get headers(): IHeaders {
    return toKafkajsHeaders(this.headerPairs)
  }
}
