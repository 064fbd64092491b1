import type { Clock, Timer } from '../core/clock.ts'
import { BrokerUnavailableError, ClosedError, InvalidConfigurationError } from '../core/errors.ts'
import type { Batch, Source, Subscription, TopicAdmin, Verdict } from '../core/transport.ts'
import type { DeadLetterLog } from './dead-letter-log.ts'

export interface DeadLetterReaderOptions {
  readonly transport: Source & Pick<TopicAdmin, 'offsets'>
  readonly topic: string
  /** A group of its own: it reads the whole topic, whoever else does. */
  readonly group: string
  readonly log: DeadLetterLog
  /** Most bytes of dead letters that are held at once. */
  readonly maxBytes: number
  /** How long to wait for the broker. Milliseconds. */
  readonly patienceMs: number
  readonly clock: Clock
}

/** Keeps a log up with its topic. */
export class DeadLetterReader {
  readonly #options: DeadLetterReaderOptions
  /** By partition, the offset after the last record that was read. */
  readonly #read = new Map<number, bigint>()
  readonly #waiting = new Set<() => void>()
  #subscription: Subscription | undefined
  #error: Error | undefined

  constructor(options: DeadLetterReaderOptions) {
    this.#options = options
  }

  /** @throws UnknownTopicError BrokerUnavailableError */
  async open(): Promise<void> {
    const { transport, topic, group, patienceMs, clock } = this.#options
    // Subscribing would wait for a topic that is missing; whoever looks at it wants to know.
    await transport.offsets(topic)
    const giveUp = new AbortController()
    const overdue = clock.after(patienceMs, () => giveUp.abort(this.#tooLong()))
    try {
      this.#subscription = await transport.subscribe({
        ...{ group, topics: [topic], stallMs: 60_000, signal: giveUp.signal },
        handle: (batch) => this.#handle(batch),
        onStatus: (status) => {
          if (status.state === 'gap') this.#fail(status.error)
        },
      })
    } finally {
      overdue.cancel()
    }
  }

  /**
   * Resolves when everything that was in the topic at this moment is in the log.
   *
   * @throws BrokerUnavailableError when it takes too long
   * @throws InvalidConfigurationError when there are more dead letters than may be held
   */
  async caughtUp(): Promise<void> {
    const { transport, topic } = this.#options
    const offsets = await transport.offsets(topic)
    // Where all records are gone there is nothing to wait for.
    const isThere = () =>
      offsets.every(({ partition, low, high }) => low === high || (this.#read.get(partition) ?? 0n) >= high)
    await this.#until(isThere)
  }

  async close(): Promise<void> {
    this.#fail(new ClosedError('the dead letters were closed'))
    await this.#subscription?.close(2000)
  }

  #until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let overdue: Timer | undefined
      const look = () => {
        if (this.#error === undefined && !isThere()) return
        this.#waiting.delete(look)
        overdue?.cancel()
        if (this.#error === undefined) resolve()
        else reject(this.#error)
      }
      this.#waiting.add(look)
      overdue = this.#options.clock.after(this.#options.patienceMs, () => {
        this.#waiting.delete(look)
        reject(this.#tooLong())
      })
      look()
    })
  }

  async #handle({ deliveries, partition }: Batch): Promise<Verdict> {
    const { log, maxBytes, topic } = this.#options
    let read = this.#read.get(partition) ?? 0n
    for (const delivery of deliveries) {
      // After its partitions were handed out anew, records may come twice.
      if (delivery.offset < read) continue
      log.append(delivery)
      read = delivery.offset + 1n
    }
    this.#read.set(partition, read)
    if (log.bytes > maxBytes)
      this.#fail(
        new InvalidConfigurationError(
          `the dead letters in "${topic}" are more than ${maxBytes} bytes, which is what may be held at once; raise maxBytes`,
        ),
      )
    for (const look of [...this.#waiting]) look()
    return { next: read, retryInMs: 0 }
  }

  #fail(error: Error): void {
    this.#error ??= error
    for (const look of [...this.#waiting]) look()
  }

  #tooLong(): BrokerUnavailableError {
    const { topic, patienceMs } = this.#options
    return new BrokerUnavailableError(`the dead letters in "${topic}" could not be read within ${patienceMs} ms`)
  }
}
