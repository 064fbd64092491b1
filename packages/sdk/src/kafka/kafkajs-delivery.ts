import type { KafkaMessage } from 'kafkajs'
import type { Delivery, Header, RawMessage } from '../core/message.ts'
import { FetchedRecord } from './kafkajs-fetched-record.ts'
import { fromKafkajsHeaders } from './kafkajs-message.ts'

/** One fetched record. Its parts are made when somebody looks, and once. */
export class KafkajsDelivery implements Delivery {
  readonly partition: number
  readonly group: string
  readonly attempt = 1
  readonly replay = null
  readonly #record: KafkaMessage
  readonly #topic: string
  #offset: bigint | undefined
  #message: RawMessage | undefined

  constructor(record: KafkaMessage, topic: string, partition: number, group: string) {
    this.#record = record
    this.#topic = topic
    this.partition = partition
    this.group = group
  }

  get offset(): bigint {
    this.#offset ??= BigInt(this.#record.offset)
    return this.#offset
  }

  get message(): RawMessage {
    this.#message ??= messageOf(this.#record, this.#topic)
    return this.#message
  }
}

function messageOf(record: KafkaMessage, topic: string): RawMessage {
  let headers: readonly Header[] | undefined
  return {
    topic,
    key: record.key,
    value: record.value,
    timestamp: Number(record.timestamp),
    // A property of the object itself, so that a copy of the message has it too. Few handlers look at headers.
    get headers() {
      headers ??= record instanceof FetchedRecord ? record.headerPairs : fromKafkajsHeaders(record.headers)
      return headers
    },
  }
}
