import type { Clock } from '../core/clock.ts'
import type { Load } from '../core/in-flight.ts'
import type { Delivery } from '../core/message.ts'
import type { Batch, Verdict } from '../core/transport.ts'
import type { DriverBatch } from './driver.ts'

/** A batch in the hands of the handler, and what is known of how it goes. */
export class RunningBatch implements Batch, Load {
  readonly topic: string
  readonly partition: number
  readonly generation: number
  readonly deliveries: readonly Delivery[]
  readonly highWatermark: bigint
  readonly fetched: DriverBatch
  readonly bytes: number
  readonly records: number
  /** Monotonic milliseconds of the last progress. */
  progressAt: number
  /** The partition was sent elsewhere meanwhile: what becomes of this batch no longer decides where it stands. */
  moved = false
  readonly #clock: Clock
  readonly #onSettled: (next: bigint) => void
  readonly #abort = new AbortController()
  #settled: bigint

  constructor(fetched: DriverBatch, generation: number, clock: Clock, onSettled: (next: bigint) => void) {
    this.topic = fetched.topic
    this.partition = fetched.partition
    this.deliveries = fetched.deliveries
    this.highWatermark = fetched.highWatermark
    this.fetched = fetched
    this.bytes = fetched.bytes
    this.records = fetched.deliveries.length
    this.generation = generation
    this.#clock = clock
    this.#onSettled = onSettled
    this.progressAt = clock.monotonic()
    this.#settled = fetched.deliveries[0]?.offset ?? fetched.end
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Every record below is finished, by the handler's last word. */
  get settled(): bigint {
    return this.#settled
  }

  settle(next: bigint): void {
    this.progressAt = this.#clock.monotonic()
    const reached = this.#within(next)
    if (reached <= this.#settled) return
    this.#settled = reached
    this.#onSettled(reached)
  }

  /** Takes the handler's verdict; tells whether the whole batch is finished. */
  conclude(verdict: Verdict): boolean {
    this.settle(verdict.next)
    return this.#settled >= this.fetched.end
  }

  stop(reason: Error): void {
    this.#abort.abort(reason)
  }

  /** Behind the last record are only control records, which nobody sees and which are finished with it. */
  #within(next: bigint): bigint {
    const last = this.deliveries[this.deliveries.length - 1]
    return last === undefined || next > last.offset ? this.fetched.end : next
  }
}
