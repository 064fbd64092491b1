import { Accumulator } from '../core/accumulator.ts'
import { backoffMs } from '../core/backoff.ts'
import { type Clock, pause } from '../core/clock.ts'
import {
  BrokerUnavailableError,
  CloseDeadlineError,
  ClosedError,
  type EvtError,
  isEvtError,
  RecordTooLargeError,
  SendTimeoutError,
  UnknownTopicError,
} from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { partitionOf } from '../core/murmur2.ts'
import type { Sender } from '../core/transport.ts'
import { type Driver, type DriverProducer, RefusedRecordError, type TopicPartition } from './driver.ts'
import type { PartitionCounts } from './partition-counts.ts'
import { type Chunk, firstPartitionLast, halves, recordBytes, SendPlan, unanswered } from './send-plan.ts'

export interface KafkaSenderOptions {
  readonly driver: Pick<Driver, 'producer'>
  readonly counts: PartitionCounts
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly deliveryTimeoutMs: number
  readonly maxRecordBytes: number
}

type Failures = Map<number, EvtError>

/** Waits between attempts at a broker that does not answer. */
const attempts = { initialMs: 50, maxMs: 1000 }

/**
 * Sends to Kafka with one request in flight per idempotent producer, which is the only form that neither loses nor
 * reorders when an answer gets lost. A producer whose send was rejected is thrown away, and a new one sends the same
 * records again before anything else.
 */
export class KafkaSender implements Sender {
  readonly #options: KafkaSenderOptions
  readonly #accumulator: Accumulator
  /** When the calls that wait were made, and of how many messages each is: in the order in which they are taken up. */
  readonly #waiting: { readonly since: number; readonly count: number }[] = []
  #producer: DriverProducer | undefined
  #connected: Promise<void> | undefined
  #keyless: number
  #closed = false
  /** Ends what is under way when the sender must close. */
  readonly #ending = new AbortController()

  constructor(options: KafkaSenderOptions) {
    this.#options = options
    this.#keyless = Math.floor(options.random() * 1_000_000)
    this.#accumulator = new Accumulator({ flush: (batch) => this.#flush(batch) })
  }

  send(messages: readonly RawMessage[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('the Kafka transport is closed; nothing was sent'))
    if (messages.length > 0) this.#waiting.push({ since: this.#options.clock.monotonic(), count: messages.length })
    return this.#accumulator.send(messages)
  }

  /** Takes no more, waits for what was sent, closes the connection. @throws CloseDeadlineError */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true
    let late = false
    const timer = this.#options.clock.after(deadlineMs, () => {
      late = true
      this.#ending.abort()
    })
    await this.#accumulator.close()
    const producer = this.#producer
    this.#producer = undefined
    if (producer !== undefined) {
      const cut = () => producer.abandon()
      this.#ending.signal.addEventListener('abort', cut)
      if (late) cut()
      await producer.close().catch(() => cut())
      this.#ending.signal.removeEventListener('abort', cut)
    }
    timer.cancel()
    if (late)
      throw new CloseDeadlineError(`messages were still being sent after ${deadlineMs} ms; their sends have failed`)
  }

  async #flush(batch: readonly RawMessage[]): Promise<ReadonlyMap<number, EvtError>> {
    const failures: Failures = new Map()
    const deadline = this.#takeUp(batch.length) + this.#options.deliveryTimeoutMs
    const missing = this.#topicsToAsk(batch)
    const unknown = missing === undefined ? undefined : await this.#ask(missing, deadline)
    for (const round of this.#plan(batch, unknown, failures)) await this.#deliver(round, deadline, failures)
    return failures
  }

  /** When the youngest call of the batch was made: nobody is told that time is up before it is for them. */
  #takeUp(messages: number): number {
    let since = 0
    let taken = 0
    let left = messages
    while (left > 0) {
      const call = this.#waiting[taken++]
      if (call === undefined) break
      since = call.since
      left -= call.count
    }
    this.#waiting.splice(0, taken)
    return since
  }

  #topicsToAsk(batch: readonly RawMessage[]): Set<string> | undefined {
    let missing: Set<string> | undefined
    let last: string | undefined
    for (const { topic } of batch) {
      if (topic === last) continue
      last = topic
      if (this.#options.counts.get(topic) !== undefined) continue
      missing ??= new Set()
      missing.add(topic)
    }
    return missing
  }

  /** Looks topics up until each is known or known to be missing; an outage is waited out up to the deadline. */
  async #ask(topics: ReadonlySet<string>, deadline: number): Promise<ReadonlyMap<string, EvtError>> {
    const errors = new Map<string, EvtError>()
    const ask = async (topic: string) => {
      for (let attempt = 1; ; attempt++) {
        const error = await this.#inTime(() => this.#options.counts.ask(topic), deadline)
        if (error === undefined) return
        if (!error.retryable || this.#isOver(deadline)) return void errors.set(topic, error)
        await this.#pause(attempt, deadline)
      }
    }
    await Promise.all(Array.from(topics, ask))
    return errors
  }

  #plan(
    batch: readonly RawMessage[],
    unknown: ReadonlyMap<string, EvtError> | undefined,
    failures: Failures,
  ): Chunk[][] {
    const { counts, maxRecordBytes } = this.#options
    const plan = new SendPlan(maxRecordBytes)
    const keyless = this.#keyless++
    let topic: string | undefined
    let count: number | undefined
    for (let place = 0; place < batch.length; place++) {
      const message = batch[place]
      if (message === undefined) continue
      if (message.topic !== topic) {
        topic = message.topic
        count = counts.get(topic)
      }
      if (count === undefined) {
        failures.set(place, unknown?.get(message.topic) ?? new UnknownTopicError(message.topic))
        continue
      }
      const bytes = recordBytes(message)
      if (bytes > maxRecordBytes) {
        failures.set(place, tooLarge(bytes, maxRecordBytes))
        continue
      }
      const { key } = message
      plan.add(message, place, key === null ? keyless % count : partitionOf(key, count), bytes)
    }
    return plan.rounds
  }

  async #deliver(round: readonly Chunk[], deadline: number, failures: Failures): Promise<void> {
    if (round.length === 0) return
    const error = await this.#attempt(round, deadline)
    if (error !== undefined) await this.#deliverApart(round, error, deadline, failures)
  }

  /**
   * Sends a request that failed once more, partition by partition: an answer then says of exactly one partition what
   * became of it, so that what is known to be written is not written again, and what is poison does not hold back others.
   */
  async #deliverApart(
    round: readonly Chunk[],
    firstError: EvtError,
    deadline: number,
    failures: Failures,
  ): Promise<void> {
    let queue: readonly Chunk[] = round
    let error: EvtError | undefined = firstError
    // What the failed request of several partitions says of one of them is not known; alone, it is.
    let blamed: Chunk | undefined = round.length === 1 ? round[0] : undefined
    for (let attempt = 1; ; ) {
      if (error !== undefined) {
        const verdict = blamed === undefined ? undefined : await this.#judge(blamed, error, deadline, failures)
        if (verdict === 'retry') queue = firstPartitionLast(queue)
        else if (verdict !== undefined) queue = [...verdict, ...queue.slice(1)]
        if (verdict === 'retry' || (verdict === undefined && error.retryable)) await this.#pause(attempt++, deadline)
        else attempt = 1
      }
      blamed = queue[0]
      if (blamed === undefined) return
      if (this.#isOver(deadline)) {
        for (const chunk of queue) fail(chunk, failures, error ?? firstError)
        return
      }
      error = await this.#attempt([blamed], deadline)
      if (error === undefined) {
        queue = queue.slice(1)
        attempt = 1
      }
    }
  }

  /** What is to be done with a chunk that failed on its own: try again, or go on with what is left of it. */
  async #judge(
    chunk: Chunk,
    error: EvtError,
    deadline: number,
    failures: Failures,
  ): Promise<'retry' | readonly Chunk[]> {
    if (error instanceof RecordTooLargeError || error instanceof RefusedRecordError) {
      if (chunk.messages.length > 1) return halves(chunk)
      fail(chunk, failures, error)
      return []
    }
    if (error instanceof UnknownTopicError || error instanceof UnansweredError) {
      // The partition may be missing and the topic not: then it was made anew, with fewer.
      const lookup = await this.#inTime(() => this.#options.counts.ask(chunk.topic), deadline)
      const count = this.#options.counts.get(chunk.topic)
      if (lookup === undefined && count !== undefined) {
        if (chunk.partition < count) return 'retry'
        const plan = new SendPlan(this.#options.maxRecordBytes)
        for (const [i, message] of chunk.messages.entries()) {
          const partition = message.key === null ? this.#keyless % count : partitionOf(message.key, count)
          plan.add(message, chunk.places[i] ?? 0, partition, recordBytes(message))
        }
        return plan.rounds.flat()
      }
      if (lookup?.retryable) return 'retry'
    } else if (error.retryable) return 'retry'
    fail(chunk, failures, error)
    return []
  }

  /** One request. Tells why it must not count as written, if so; the producer is then gone. */
  async #attempt(chunks: readonly Chunk[], deadline: number): Promise<EvtError | undefined> {
    this.#producer ??= this.#options.driver.producer()
    const producer = this.#producer
    const error = await this.#inTime(async () => {
      this.#connected ??= producer.connect()
      await this.#connected
      const left = unanswered(chunks, await producer.send(chunks))
      // kafkajs leaves out, without a word, what is for a partition that it does not know.
      if (left[0] !== undefined) throw new UnansweredError(left[0])
    }, deadline)
    if (error === undefined) return undefined
    this.#producer = undefined
    this.#connected = undefined
    producer.abandon()
    const [first] = chunks
    this.#options.logger.warn(
      { code: error.code, topic: first?.topic, partitions: chunks.length, error },
      `a request was not acknowledged: ${error.message}`,
    )
    return error
  }

  /** Runs a step up to the deadline; tells how it failed, if it did. */
  #inTime(step: () => Promise<unknown>, deadline: number): Promise<EvtError | undefined> {
    const { clock, deliveryTimeoutMs } = this.#options
    const { signal } = this.#ending
    return new Promise((resolve) => {
      const finish = (error: EvtError | undefined) => {
        timer.cancel()
        signal.removeEventListener('abort', ended)
        resolve(error)
      }
      const ended = () => finish(new SendTimeoutError('the transport was closed before the broker acknowledged'))
      const timer = clock.after(Math.max(0, deadline - clock.monotonic()), () =>
        finish(new SendTimeoutError(`not acknowledged within ${deliveryTimeoutMs} ms; it may be written all the same`)),
      )
      signal.addEventListener('abort', ended)
      if (signal.aborted) return ended()
      step().then(
        () => finish(undefined),
        (error: unknown) =>
          finish(isEvtError(error) ? error : new BrokerUnavailableError(String(error), { cause: error })),
      )
    })
  }

  #isOver(deadline: number): boolean {
    return this.#ending.signal.aborted || this.#options.clock.monotonic() >= deadline
  }

  #pause(attempt: number, deadline: number): Promise<void> {
    const { clock, random } = this.#options
    const left = Math.max(0, deadline - clock.monotonic())
    return pause(clock, Math.min(left, backoffMs(attempt, random, attempts)), this.#ending.signal)
  }
}

/** The answer does not name a partition that was sent: nothing of it counts as written. */
class UnansweredError extends BrokerUnavailableError {
  constructor({ topic, partition }: TopicPartition) {
    super(`the answer does not name ${topic}/${partition} as written`)
  }
}

function fail(chunk: Chunk, failures: Failures, error: EvtError): void {
  for (const [i, place] of chunk.places.entries()) {
    const message = chunk.messages[i]
    const own =
      error instanceof RecordTooLargeError && message !== undefined
        ? new RecordTooLargeError(
            `a record of ${recordBytes(message)} bytes is larger than topic "${chunk.topic}" takes; send less, or raise its max.message.bytes`,
            { cause: error.cause },
          )
        : error
    failures.set(place, own)
  }
}

function tooLarge(bytes: number, limit: number): RecordTooLargeError {
  return new RecordTooLargeError(
    `a record of ${bytes} bytes with its headers exceeds maxRecordBytes (${limit}); nothing of it was sent. Send less, or raise maxRecordBytes together with the topic's max.message.bytes`,
  )
}
