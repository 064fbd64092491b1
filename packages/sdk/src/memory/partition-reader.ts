import { backoffMs } from '../core/backoff.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { HistoryGapError } from '../core/errors.ts'
import type { InFlight, Load } from '../core/in-flight.ts'
import type { Logger } from '../core/logger.ts'
import type { Delivery } from '../core/message.ts'
import type { Batch, SubscribeOptions, Verdict } from '../core/transport.ts'
import { type LogReader, type PartitionLog, sizeOf } from './partition-log.ts'

export interface PartitionReaderOptions {
  readonly log: PartitionLog
  readonly group: string
  readonly handle: SubscribeOptions['handle']
  readonly stallMs: number
  readonly maxBatchRecords: number
  /** Shared by all readers of a member. */
  readonly inFlight: InFlight
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  /** Generation of the assignment, and where it begins. */
  readonly generation: number
  readonly position: bigint
  nextGeneration(): number
  commit(offset: bigint): void
  /** Asks for a turn: `turn()` is to be called later, not from here. */
  enqueue(reader: PartitionReader): void
  onGap(error: HistoryGapError): void
  onStall(): void
}

/** `waiting` is the pause before records are handed over again; `gap` needs a seek; `stopped` is for good. */
type State = 'idle' | 'queued' | 'handling' | 'waiting' | 'gap' | 'stopped'

/** Reads one partition for the member that owns it: one batch at a time, from a position that only its verdicts move. */
export class PartitionReader implements LogReader {
  readonly log: PartitionLog
  readonly #options: PartitionReaderOptions
  #state: State = 'idle'
  #position: bigint
  #generation: number
  #handing: Handing | undefined
  #controller = new AbortController()
  #retry: Timer | undefined
  #stall: Timer | undefined
  #rejections = 0
  #whenReleased: (() => void)[] = []
  #call: Promise<void> = Promise.resolve()

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    this.log = options.log
    this.#position = options.position
    this.#generation = options.generation
    this.log.readers.add(this)
  }

  get isHandling(): boolean {
    return this.#handing !== undefined
  }

  /** Resolves when no batch is with `handle` any more, even one that was abandoned. */
  get returned(): Promise<void> {
    return this.#call
  }

  get hasGap(): boolean {
    return this.#state === 'gap'
  }

  wake(): void {
    if (this.#state !== 'idle') return
    if (this.#position === this.log.high) return
    this.#state = 'queued'
    this.#options.enqueue(this)
  }

  /** Hands over the next records. */
  turn(): void {
    // A turn may come after a stop or a seek took its reason away.
    if (this.#state !== 'queued') return
    const { low, high } = this.log
    if (this.#position < low || this.#position > high) {
      this.#state = 'gap'
      const { topic, partition } = this.log
      const { group } = this.#options
      this.#options.onGap(new HistoryGapError({ topic, partition, group, committed: this.#position, available: low }))
      return
    }
    const deliveries = this.#read()
    if (deliveries.length === 0) {
      this.#state = 'idle'
      return
    }
    this.#handOver(deliveries)
  }

  /** Aborts the batch's signal and starts nothing more; resolves when what runs has returned or was abandoned. */
  stop(): Promise<void> {
    this.#retire()
    this.#controller.abort()
    if (this.#handing === undefined) return Promise.resolve()
    return new Promise((resolve) => this.#whenReleased.push(resolve))
  }

  /** Gives up the partition at once: whatever still runs can no longer move its offset. */
  abandon(): void {
    this.#retire()
    if (this.#handing !== undefined) this.#handing.isVoid = true
    this.#stall?.cancel()
    this.#controller.abort()
    this.#release()
  }

  /** Continues at `offset`, after what runs has returned. What was remembered of the records there is void. */
  seek(offset: bigint): void {
    if (this.#state === 'stopped') return
    this.#generation = this.#options.nextGeneration()
    this.#position = offset
    this.#retry?.cancel()
    if (this.#handing !== undefined) {
      this.#handing.isVoid = true
      this.#controller.abort()
      this.#controller = new AbortController()
      return
    }
    if (this.#state === 'queued') return
    this.#state = 'queued'
    this.#options.enqueue(this)
  }

  #read(): Delivery[] {
    const { group, maxBatchRecords, inFlight } = this.#options
    return this.log.read(this.#position, maxBatchRecords, inFlight.roomBytes).map(({ message, partition, offset }) => ({
      message,
      partition,
      offset,
      group,
      attempt: 1,
      replay: null,
    }))
  }

  #handOver(deliveries: readonly Delivery[]): void {
    const { handle, clock, commit, inFlight } = this.#options
    const handing = new Handing({
      topic: this.log.topic,
      partition: this.log.partition,
      generation: this.#generation,
      deliveries,
      highWatermark: this.log.high,
      signal: this.#controller.signal,
      from: this.#position,
      clock,
      commit,
    })
    this.#state = 'handling'
    this.#handing = handing
    this.#watch(handing)
    inFlight.take(handing)
    // Started in a microtask so that what `handle` throws at once is a rejection like any other.
    this.#call = Promise.resolve()
      .then(() => handle(handing))
      .then(
        (verdict) => this.#returned(handing, verdict),
        (error: unknown) => this.#rejected(handing, error),
      )
  }

  /** Reports a stall when the batch shows no progress for too long. */
  #watch(handing: Handing): void {
    const { clock, stallMs, onStall } = this.#options
    const silentMs = clock.monotonic() - handing.lastProgress
    this.#stall = clock.after(Math.max(1, stallMs - silentMs), () => {
      if (this.#handing !== handing) return
      if (clock.monotonic() - handing.lastProgress >= stallMs) onStall()
      else this.#watch(handing)
    })
  }

  #returned(handing: Handing, verdict: Verdict): void {
    this.#rejections = 0
    handing.settle(verdict.next)
    this.#resume(handing, handing.settled < handing.end ? verdict.retryInMs : 0)
  }

  #rejected(handing: Handing, error: unknown): void {
    this.#rejections++
    const { clock, random, logger, group } = this.#options
    const waitMs = backoffMs(this.#rejections, random)
    if (!handing.isVoid)
      logger.warn(
        { group, topic: this.log.topic, partition: this.log.partition, error, retryInMs: waitMs, at: clock.now() },
        'handling a batch failed; it is handed over again',
      )
    this.#resume(handing, waitMs)
  }

  /** What follows when `handle` has come back. */
  #resume(handing: Handing, waitMs: number): void {
    this.#options.inFlight.release(handing)
    this.#stall?.cancel()
    this.#handing = undefined
    if (!handing.isVoid) this.#position = handing.settled
    // A batch made void by a seek goes on at the new position without the old one's pause.
    if (this.#state === 'handling') this.#pauseFor(handing.isVoid ? 0 : waitMs)
    this.#release()
  }

  #pauseFor(waitMs: number): void {
    if (waitMs <= 0) {
      this.#state = 'idle'
      this.wake()
      return
    }
    this.#state = 'waiting'
    this.#retry = this.#options.clock.after(waitMs, () => {
      if (this.#state !== 'waiting') return
      this.#state = 'idle'
      this.wake()
    })
  }

  #retire(): void {
    this.#state = 'stopped'
    this.#retry?.cancel()
    this.log.readers.delete(this)
  }

  #release(): void {
    const callbacks = this.#whenReleased
    this.#whenReleased = []
    for (const callback of callbacks) callback()
  }
}

interface HandingOptions extends Omit<Batch, 'settle'> {
  readonly from: bigint
  readonly clock: Clock
  commit(offset: bigint): void
}

/** One batch on its way through `handle`. */
class Handing implements Batch, Load {
  readonly topic: string
  readonly partition: number
  readonly generation: number
  readonly deliveries: readonly Delivery[]
  readonly highWatermark: bigint
  readonly signal: AbortSignal
  readonly bytes: number
  readonly records: number
  /** Offset after the last record. */
  readonly end: bigint
  /** Set when the partition is no longer this batch's to speak for. */
  isVoid = false
  settled: bigint
  lastProgress: number
  readonly #clock: Clock
  readonly #commit: (offset: bigint) => void

  constructor(options: HandingOptions) {
    this.topic = options.topic
    this.partition = options.partition
    this.generation = options.generation
    this.deliveries = options.deliveries
    this.bytes = options.deliveries.reduce((sum, { message }) => sum + sizeOf(message), 0)
    this.records = options.deliveries.length
    this.highWatermark = options.highWatermark
    this.signal = options.signal
    this.settled = options.from
    this.end = options.from + BigInt(options.deliveries.length)
    this.#clock = options.clock
    this.#commit = options.commit
    this.lastProgress = options.clock.monotonic()
  }

  settle(next: bigint): void {
    if (this.isVoid) return
    this.lastProgress = this.#clock.monotonic()
    const bounded = next > this.end ? this.end : next
    if (bounded <= this.settled) return
    this.settled = bounded
    this.#commit(bounded)
  }
}
