import type { Message, Producer, TopicMessages } from 'kafkajs'
import type { DriverProducer, PartitionAnswer, PartitionMessages, ProducerIdentity } from './driver.ts'
import { KafkajsClient, type KafkajsClientOptions } from './kafkajs-client.ts'
import { classify } from './kafkajs-errors.ts'
import { leanProtocol } from './kafkajs-lean-protocol.ts'
import { toKafkajsMessage } from './kafkajs-message.ts'

/** The last epoch that an id may have. */
const lastEpoch = 32_766

export class KafkajsProducer implements DriverProducer {
  readonly #client: KafkajsClient
  readonly #producer: Producer
  readonly #timeoutMs: number
  #identity: ProducerIdentity | undefined

  constructor(options: KafkajsClientOptions, after?: ProducerIdentity) {
    this.#client = new KafkajsClient(options)
    leanProtocol(this.#client.kafka, {
      identify: (given) => {
        // The broker hands out ids and leaves the epochs of an id without transactions to its owner.
        this.#identity = after === undefined || after.epoch >= lastEpoch ? given : { ...after, epoch: after.epoch + 1 }
        return this.#identity
      },
    })
    this.#timeoutMs = options.requestTimeoutMs
    this.#producer = this.#client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: options.metadataMaxAgeMs,
      // A few repetitions on the same instance cost no duplicate, because they carry the same numbers. What they do not
      // settle is settled by a new instance, within the deadline of the send.
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 3 },
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    })
  }

  get identity(): ProducerIdentity | undefined {
    return this.#identity
  }

  async connect(): Promise<void> {
    try {
      await this.#producer.connect()
    } catch (error) {
      throw classify(error)
    }
  }

  async send(chunks: readonly PartitionMessages[]): Promise<readonly PartitionAnswer[]> {
    const topicMessages = byTopic(chunks)
    try {
      const answers = await this.#producer.sendBatch({ acks: -1, timeout: this.#timeoutMs, topicMessages })
      return answers.map(({ topicName, partition, errorCode }) => ({ topic: topicName, partition, errorCode }))
    } catch (error) {
      throw classify(error, chunks.length === 1 ? chunks[0]?.topic : undefined)
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect()
    this.#client.cut()
  }

  abandon(): void {
    this.#client.cut()
    // Only to end its timers; there is nobody left to tell.
    this.#producer.disconnect().catch(() => {})
  }
}

function byTopic(chunks: readonly PartitionMessages[]): TopicMessages[] {
  const topics = new Map<string, Message[]>()
  for (const { topic, partition, messages } of chunks) {
    const records = topics.get(topic) ?? []
    topics.set(topic, records)
    for (const message of messages) records.push(toKafkajsMessage(message, partition))
  }
  return Array.from(topics, ([topic, messages]) => ({ topic, messages }))
}
