import { BrokerUnavailableError, type EvtError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { DeliveryTime } from './delivery-time.ts'
import type { Driver, DriverProducer, ProducerIdentity, TopicPartition } from './driver.ts'
import { type Chunk, unanswered } from './send-plan.ts'

/** The answer does not name a partition that was sent: nothing of it counts as written. */
export class UnansweredError extends BrokerUnavailableError {
  constructor({ topic, partition }: TopicPartition) {
    super(`the answer does not name ${topic}/${partition} as written`)
  }
}

/**
 * A producer that lives until its first failure. What an instance sends after a rejected send may carry numbers that the
 * broker has already seen, and then it is dropped as a repetition and called written: so the next send has a new one.
 * The new one succeeds the old one at the broker: a request that is still on its way cannot be written behind later records.
 */
export class DisposableProducer {
  readonly #driver: Pick<Driver, 'producer'>
  readonly #logger: Logger
  #instance: DriverProducer | undefined
  /** The last one that the broker knew. */
  #identity: ProducerIdentity | undefined
  #connected: Promise<void> | undefined

  constructor(driver: Pick<Driver, 'producer'>, logger: Logger) {
    this.#driver = driver
    this.#logger = logger
  }

  /** One request, never two at once. Tells why it must not count as written, if so. */
  async send(chunks: readonly Chunk[], time: DeliveryTime): Promise<EvtError | undefined> {
    this.#instance ??= this.#driver.producer(this.#identity)
    const producer = this.#instance
    const error = await time.run(async () => {
      this.#connected ??= producer.connect()
      await this.#connected
      time.handedOver()
      const [left] = unanswered(chunks, await producer.send(chunks))
      if (left !== undefined) throw new UnansweredError(left)
    })
    if (error === undefined) return undefined
    this.#instance = undefined
    this.#connected = undefined
    this.#identity = producer.identity ?? this.#identity
    producer.abandon()
    const fields = { code: error.code, topic: chunks[0]?.topic, partitions: chunks.length, error }
    this.#logger.warn(fields, `a request to Kafka was not acknowledged: ${error.message}`)
    return error
  }

  /** Leaves in good order, at once when `signal` is aborted. */
  async close(signal: AbortSignal): Promise<void> {
    const producer = this.#instance
    this.#instance = undefined
    if (producer === undefined) return
    const cut = () => producer.abandon()
    signal.addEventListener('abort', cut)
    if (signal.aborted) cut()
    await producer.close().catch(cut)
    signal.removeEventListener('abort', cut)
  }
}
