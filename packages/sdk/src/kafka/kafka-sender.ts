import { Accumulator } from '../core/accumulator.ts'
import type { Clock } from '../core/clock.ts'
import {
  CloseDeadlineError,
  ClosedError,
  type EvtError,
  RecordRefusedError,
  RecordTooLargeError,
  UnknownTopicError,
} from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { RawMessage } from '../core/message.ts'
import { partitionOf } from '../core/murmur2.ts'
import { SendFailures } from '../core/send-failures.ts'
import type { Sender } from '../core/transport.ts'
import { DeliveryTime } from './delivery-time.ts'
import { DisposableProducer, UnansweredError } from './disposable-producer.ts'
import type { Driver } from './driver.ts'
import type { PartitionCounts } from './partition-counts.ts'
import { type Chunk, firstPartitionLast, halves, recordBytes, SendPlan } from './send-plan.ts'

export interface KafkaSenderOptions {
  readonly driver: Pick<Driver, 'producer'>
  readonly counts: PartitionCounts
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly deliveryTimeoutMs: number
  readonly maxRecordBytes: number
}

/**
 * Sends to Kafka with one request in flight per idempotent producer, which is the only form that neither loses nor
 * reorders when an answer gets lost. A producer whose send was rejected is thrown away, and a new one sends the same
 * records again before anything else.
 */
export class KafkaSender implements Sender {
  readonly #options: KafkaSenderOptions
  readonly #accumulator: Accumulator
  readonly #producer: DisposableProducer
  /** When the calls that wait were made, and of how many messages each is: in the order in which they are taken up. */
  readonly #waiting: { readonly since: number; readonly count: number }[] = []
  /** Ends what is under way when the sender must close. */
  readonly #ending = new AbortController()
  #keyless: number
  #toldOfOutage = false
  #closed = false

  constructor(options: KafkaSenderOptions) {
    this.#options = options
    this.#keyless = Math.floor(options.random() * 1_000_000)
    this.#producer = new DisposableProducer(options.driver, options.logger)
    this.#accumulator = new Accumulator({ flush: (batch, callStarts) => this.#flush(batch, callStarts) })
  }

  send(messages: readonly RawMessage[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('the Kafka transport is closed; nothing was sent'))
    if (messages.length > 0) this.#waiting.push({ since: this.#options.clock.monotonic(), count: messages.length })
    return this.#accumulator.send(messages)
  }

  /** Takes no more, waits for what was sent, closes the connection. @throws CloseDeadlineError */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true
    const timer = this.#options.clock.after(deadlineMs, () => this.#ending.abort())
    await this.#accumulator.close()
    await this.#producer.close(this.#ending.signal)
    timer.cancel()
    if (this.#ending.signal.aborted)
      throw new CloseDeadlineError(
        `messages were still being sent after ${Math.round(deadlineMs)} ms; the sends that were not acknowledged have failed`,
      )
  }

  async #flush(batch: readonly RawMessage[], callStarts: readonly number[]): Promise<ReadonlyMap<number, EvtError>> {
    const { clock, random, deliveryTimeoutMs } = this.#options
    const failures = new SendFailures(callStarts)
    const time = new DeliveryTime({
      clock,
      random,
      endsAt: this.#takeUp(batch.length) + deliveryTimeoutMs,
      limitMs: deliveryTimeoutMs,
      signal: this.#ending.signal,
    })
    const missing = this.#topicsToAsk(batch)
    const unknown = missing === undefined ? undefined : await this.#ask(missing, time)
    for (const planned of this.#plan(batch, unknown, failures)) {
      const round = planned.map((chunk) => withoutHeldBack(chunk, failures)).filter(isNotEmpty)
      if (round.length === 0) continue
      const error = await this.#producer.send(round, time)
      if (error !== undefined) await this.#deliverApart(round, error, time, failures)
    }
    return failures.byPlace
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

  /** Looks topics up until each is known or known to be missing; an outage is waited out while there is time. */
  async #ask(topics: ReadonlySet<string>, time: DeliveryTime): Promise<ReadonlyMap<string, EvtError>> {
    const errors = new Map<string, EvtError>()
    const ask = async (topic: string) => {
      for (let attempt = 1; ; attempt++) {
        const error = await time.run(() => this.#options.counts.ask(topic))
        if (error === undefined) {
          this.#toldOfOutage = false
          return
        }
        this.#tellOfOutage(error)
        if (!error.retryable || time.isOver) return void errors.set(topic, error)
        await time.pause(attempt)
      }
    }
    await Promise.all(Array.from(topics, ask))
    return errors
  }

  /** Whoever waits for a broker that was never there should not have to wait for the deadline to learn of it. */
  #tellOfOutage(error: EvtError): void {
    if (!error.retryable || this.#toldOfOutage) return
    this.#toldOfOutage = true
    this.#options.logger.warn({ code: error.code, error }, `sending waits for Kafka: ${error.message}`)
  }

  #plan(
    batch: readonly RawMessage[],
    unknown: ReadonlyMap<string, EvtError> | undefined,
    failures: SendFailures,
  ): readonly Chunk[][] {
    const { counts, maxRecordBytes } = this.#options
    const plan = new SendPlan(maxRecordBytes)
    const keyless = this.#keyless++
    let topic: string | undefined
    let count: number | undefined
    for (let place = 0; place < batch.length; place++) {
      const message = batch[place]
      if (message === undefined || failures.holdBack(place, message)) continue
      if (message.topic !== topic) {
        topic = message.topic
        count = counts.get(topic)
      }
      if (count === undefined) {
        failures.add(place, message, unknown?.get(message.topic) ?? new UnknownTopicError(message.topic))
        continue
      }
      const bytes = recordBytes(message)
      if (bytes > maxRecordBytes) failures.add(place, message, exceedsClient(bytes, maxRecordBytes))
      else if (!isTimestamp(message.timestamp)) failures.add(place, message, notATimestamp(message))
      else plan.add(message, place, placeFor(message, count, keyless), bytes)
    }
    return plan.rounds
  }

  /**
   * Sends a request that failed once more, partition by partition: an answer then says of exactly one partition what
   * became of it, so that what is known to be written is not written again, and what is poison does not hold back others.
   */
  async #deliverApart(
    round: readonly Chunk[],
    firstError: EvtError,
    time: DeliveryTime,
    failures: SendFailures,
  ): Promise<void> {
    let queue: readonly Chunk[] = round
    let error: EvtError | undefined = firstError
    // Which partition of several made the request fail is not known.
    let blamed: Chunk | undefined = round.length === 1 ? round[0] : undefined
    for (let attempt = 1; ; ) {
      if (error !== undefined) {
        const verdict = blamed === undefined ? undefined : await this.#judge(blamed, error, time, failures)
        if (verdict === 'retry') queue = firstPartitionLast(queue)
        else if (verdict !== undefined) queue = [...verdict, ...queue.slice(1)]
        if (verdict === 'retry' || (verdict === undefined && error.retryable)) await time.pause(attempt++)
        else attempt = 1
      }
      blamed = queue[0]
      if (blamed === undefined) return
      const sendable = withoutHeldBack(blamed, failures)
      queue = [sendable, ...queue.slice(1)].filter(isNotEmpty)
      if (sendable.messages.length === 0) {
        error = undefined
        continue
      }
      blamed = sendable
      if (time.isOver) {
        // A reason that is for ever was the broker's word on a request, and not on each that is left of it.
        const reason = error ?? firstError
        const last = reason.retryable ? reason : time.timedOut()
        for (const chunk of queue) fail(chunk, failures, last)
        return
      }
      error = await this.#producer.send([blamed], time)
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
    time: DeliveryTime,
    failures: SendFailures,
  ): Promise<'retry' | readonly Chunk[]> {
    if (error instanceof RecordTooLargeError || error instanceof RecordRefusedError) {
      if (chunk.messages.length > 1) return halves(chunk)
    } else if (error instanceof UnknownTopicError || error instanceof UnansweredError) {
      const lookup = await time.run(() => this.#options.counts.ask(chunk.topic))
      if (lookup === undefined) return this.#placeAgain(chunk)
      if (lookup.retryable) return 'retry'
      fail(chunk, failures, lookup)
      return []
    } else if (error.retryable) return 'retry'
    fail(chunk, failures, error)
    return []
  }

  /** The topic is there; was it made anew with fewer partitions, then the messages need others. */
  #placeAgain(chunk: Chunk): 'retry' | readonly Chunk[] {
    const count = this.#options.counts.get(chunk.topic) ?? 0
    if (chunk.partition < count) return 'retry'
    const plan = new SendPlan(this.#options.maxRecordBytes)
    for (const [i, message] of chunk.messages.entries())
      plan.add(message, chunk.places[i] ?? 0, placeFor(message, count, this.#keyless), recordBytes(message))
    return plan.rounds.flat()
  }
}

/** Messages without a key take turns over the partitions, one batch at a time. */
function placeFor({ key }: RawMessage, partitions: number, turn: number): number {
  return key === null ? turn % partitions : partitionOf(key, partitions)
}

function fail(chunk: Chunk, failures: SendFailures, error: EvtError): void {
  for (const [i, message] of chunk.messages.entries()) {
    const place = chunk.places[i] ?? 0
    failures.add(place, message, error instanceof RecordTooLargeError ? exceedsTopic(message, error) : error)
  }
}

/** The chunk without messages that would overtake a failed one of their key. */
function withoutHeldBack(chunk: Chunk, failures: SendFailures): Chunk {
  if (failures.size === 0) return chunk
  const left = chunk.messages.map((message, i) => !failures.holdBack(chunk.places[i] ?? 0, message))
  if (left.every(Boolean)) return chunk
  return {
    ...chunk,
    messages: chunk.messages.filter((_, i) => left[i]),
    places: chunk.places.filter((_, i) => left[i]),
  }
}

function isNotEmpty({ messages }: Chunk): boolean {
  return messages.length > 0
}

function isTimestamp(timestamp: number | undefined): boolean {
  return timestamp === undefined || (Number.isSafeInteger(timestamp) && timestamp >= 0)
}

function notATimestamp({ topic, timestamp }: RawMessage): RecordRefusedError {
  return new RecordRefusedError(
    `a record for "${topic}" has the timestamp ${timestamp}; expected whole milliseconds since 1970, or none`,
  )
}

function exceedsTopic(message: RawMessage, { cause }: RecordTooLargeError): RecordTooLargeError {
  return new RecordTooLargeError(
    `a record of ${recordBytes(message)} bytes is larger than topic "${message.topic}" takes; send less, or raise its max.message.bytes`,
    { cause },
  )
}

function exceedsClient(bytes: number, limit: number): RecordTooLargeError {
  return new RecordTooLargeError(
    `a record of ${bytes} bytes with its headers exceeds maxRecordBytes (${limit}); nothing of it was sent. Send less, or raise maxRecordBytes together with the topic's max.message.bytes`,
  )
}
