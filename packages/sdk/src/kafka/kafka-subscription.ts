import { backoffMs } from '../core/backoff.ts'
import { type Clock, pause } from '../core/clock.ts'
import { ClosedError, UnknownTopicError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions, Subscription } from '../core/transport.ts'
import type { Driver, PartitionPosition } from './driver.ts'
import { GroupMember } from './group-member.ts'

export interface KafkaSubscriptionOptions {
  readonly driver: Driver
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly fetchMaxWaitMs: number
  readonly commitIntervalMs: number
  readonly historyGap: 'stop' | 'oldest'
  onClosed(subscription: KafkaSubscription): void
}

/** Waits between attempts to join. */
const attempts = { initialMs: 200, maxMs: 5000 }
/** Most batches that are ever handled at once. */
const maxConcurrency = 256

/** Keeps one member in the group: joins, and when that member can go on no longer, joins anew. */
export class KafkaSubscription implements Subscription {
  readonly #subscription: SubscribeOptions
  readonly #options: KafkaSubscriptionOptions
  readonly #closing = new AbortController()
  #member: GroupMember | undefined
  #generation = 0
  #closed: Promise<void> | undefined

  constructor(subscription: SubscribeOptions, options: KafkaSubscriptionOptions) {
    this.#subscription = { ...subscription, topics: [...new Set(subscription.topics)] }
    this.#options = options
  }

  /** Resolves when the group was joined for the first time. */
  open(): Promise<void> {
    const { signal } = this.#subscription
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        signal?.removeEventListener('abort', give)
        this.#closing.signal.removeEventListener('abort', closed)
        finish()
      }
      const closed = () =>
        settle(() => reject(new ClosedError('the subscription was closed before it joined its group')))
      const give = () => {
        const reason: unknown = signal?.reason
        settle(() => reject(reason instanceof Error ? reason : new ClosedError('subscribing was given up')))
        void this.close(0).catch(() => {})
      }
      this.#closing.signal.addEventListener('abort', closed)
      if (signal?.aborted) return give()
      signal?.addEventListener('abort', give)
      void this.#keep(() => settle(resolve))
    })
  }

  async seek(position: PartitionPosition): Promise<void> {
    if (this.#member === undefined || this.#closing.signal.aborted)
      throw new ClosedError('the subscription is not in its group at the moment; seek when its status is running')
    this.#member.seek(position)
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(deadlineMs)
    return this.#closed
  }

  async #close(deadlineMs: number): Promise<void> {
    const member = this.#member
    this.#closing.abort()
    try {
      await member?.close(deadlineMs)
    } finally {
      this.#options.onClosed(this)
    }
  }

  async #keep(opened: () => void): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#closing
    this.#tell({ state: 'connecting', attempt: 1 })
    for (let attempt = 1; !signal.aborted; attempt++) {
      let joined = false
      const error = await this.#serve(() => {
        joined = true
        opened()
      })
      if (signal.aborted) return
      if (joined) attempt = 0
      else this.#tell({ state: 'connecting', attempt, error })
      await pause(clock, backoffMs(Math.max(1, attempt), random, attempts), signal)
    }
  }

  /** One member from joining to its end, which is told; does not reject. */
  async #serve(opened: () => void): Promise<Error> {
    const { driver, clock, logger, sessionTimeoutMs, heartbeatIntervalMs, fetchMaxWaitMs } = this.#options
    const { signal } = this.#closing
    let member: GroupMember | undefined
    try {
      const concurrency = await this.#countPartitions()
      if (signal.aborted) return new ClosedError('closed')
      let end: (error: Error) => void = () => {}
      const ended = new Promise<Error>((resolve) => {
        end = resolve
      })
      member = new GroupMember({
        driver,
        clock,
        logger,
        concurrency,
        subscription: this.#subscription,
        heartbeatIntervalMs,
        commitIntervalMs: this.#options.commitIntervalMs,
        historyGap: this.#options.historyGap,
        rebalanceTimeoutMs: Math.max(60_000, this.#subscription.stallMs + 10_000),
        silenceMs: fetchMaxWaitMs * 3 + heartbeatIntervalMs * 2 + 1000,
        giveUpMs: sessionTimeoutMs * 2 + 10_000,
        nextGeneration: () => ++this.#generation,
        tell: (status) => this.#tell(status),
        ended: (error) => end(error),
      })
      this.#member = member
      await member.start()
      opened()
      const error = await ended
      if (signal.aborted) return error
      this.#tell({ state: 'unavailable', error })
      await member.leave()
      return error
    } catch (error) {
      // While closing, the member is in other hands already.
      if (!signal.aborted) member?.abandon()
      return error instanceof Error ? error : new Error(String(error))
    } finally {
      if (!signal.aborted) this.#member = undefined
    }
  }

  /** @throws UnknownTopicError that names every topic that is missing */
  async #countPartitions(): Promise<number> {
    const { topics } = this.#subscription
    const found = await Promise.all(topics.map((topic) => this.#options.driver.admin.describeTopic(topic)))
    const missing = topics.filter((_, i) => found[i] === undefined)
    if (missing.length > 0) throw new UnknownTopicError(missing.join('", "'))
    const partitions = found.reduce((sum, topic) => sum + (topic?.partitions ?? 0), 0)
    return Math.min(maxConcurrency, Math.max(1, partitions))
  }

  #tell(status: SourceStatus): void {
    if (this.#closing.signal.aborted) return
    try {
      this.#subscription.onStatus(status)
    } catch (error) {
      // It is called from inside the client, which would end over it.
      this.#options.logger.error({ error, group: this.#subscription.group }, 'onStatus threw')
    }
  }
}
