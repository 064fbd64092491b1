import type { Delivery } from '../../core/message.ts'
import type { Batch, SourceStatus, SubscribeOptions, Subscription, Verdict } from '../../core/transport.ts'

export interface ReaderOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Called for each record, in order. What it throws leaves the record unfinished. */
  readonly each?: (delivery: Delivery, batch: Batch) => void | Promise<void>
  /** Instead of `each`: handles whole batches. */
  readonly handle?: (batch: Batch) => Promise<Verdict>
  /** Pause after a record that failed. Milliseconds. @default 20 */
  readonly retryInMs?: number
  /** @default 30000 */
  readonly stallMs?: number
  readonly maxInFlightBytes?: number
  readonly signal?: AbortSignal
}

/** A member of a group that remembers all it saw. */
export class Reader {
  readonly batches: Batch[] = []
  /** Records that were finished, in that order. */
  readonly finished: Delivery[] = []
  readonly statuses: SourceStatus[] = []
  readonly #options: ReaderOptions
  #subscription: Subscription | undefined

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  get subscribeOptions(): SubscribeOptions {
    const { group, topics, stallMs = 30_000, maxInFlightBytes, signal } = this.#options
    return {
      group,
      topics,
      stallMs,
      handle: (batch) => this.#handle(batch),
      onStatus: (status) => this.statuses.push(status),
      ...(maxInFlightBytes === undefined ? {} : { maxInFlightBytes }),
      ...(signal === undefined ? {} : { signal }),
    }
  }

  /** Values of the finished records. */
  get values(): (string | null)[] {
    return this.finished.map(({ message }) => message.value?.toString() ?? null)
  }

  /** What this member owns at the moment, as `topic/partition`, sorted. */
  get owned(): string[] {
    for (const status of [...this.statuses].reverse()) {
      if (status.state === 'running')
        return status.partitions.map(({ topic, partition }) => `${topic}/${partition}`).sort()
      if (status.state !== 'gap') return []
    }
    return []
  }

  get states(): string[] {
    return this.statuses.map(({ state }) => state)
  }

  get subscription(): Subscription {
    if (this.#subscription === undefined) throw new Error('expected a reader that has subscribed, got one that has not')
    return this.#subscription
  }

  subscribed(subscription: Subscription): void {
    this.#subscription = subscription
  }

  async #handle(batch: Batch): Promise<Verdict> {
    this.batches.push(batch)
    const { handle, each, retryInMs = 20 } = this.#options
    if (handle !== undefined) return handle(batch)
    let next = batch.deliveries[0]?.offset ?? 0n
    for (const delivery of batch.deliveries) {
      if (batch.signal.aborted) break
      try {
        await each?.(delivery, batch)
      } catch {
        return { next, retryInMs }
      }
      this.finished.push(delivery)
      next = delivery.offset + 1n
      batch.settle(next)
    }
    return { next, retryInMs: 0 }
  }
}
