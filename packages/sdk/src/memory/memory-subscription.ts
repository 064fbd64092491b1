import { backoffMs } from '../core/backoff.ts'
import { type Clock, pause } from '../core/clock.ts'
import {
  CloseDeadlineError,
  HandlerDeadlineError,
  type HistoryGapError,
  InvalidConfigurationError,
  UnknownTopicError,
} from '../core/errors.ts'
import { InFlight, inFlightLimits } from '../core/in-flight.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions, Subscription } from '../core/transport.ts'
import type { TopicPartition } from './assignment.ts'
import type { ConsumerGroup, GroupMember } from './consumer-group.ts'
import { PartitionReader } from './partition-reader.ts'
import type { TopicLogs } from './topic-logs.ts'

/** What a subscription needs of its broker. */
export interface Surroundings {
  readonly topics: TopicLogs
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly maxBatchRecords: number
  onClosed(subscription: MemorySubscription): void
}

type State = 'connecting' | 'joined' | 'evicted' | 'closed'

/** One member of a group: waits for its topics, joins, and hands the partitions it gets to `handle`. */
export class MemorySubscription implements Subscription, GroupMember {
  readonly topics: readonly string[]
  readonly #options: SubscribeOptions
  readonly #group: ConsumerGroup
  readonly #around: Surroundings
  readonly #ending = new AbortController()
  readonly #queue: PartitionReader[] = []
  readonly #inFlight: InFlight
  #state: State = 'connecting'
  #readers: readonly PartitionReader[] = []
  #nextTurn: NodeJS.Immediate | undefined
  #closing: Promise<void> | undefined

  constructor(options: SubscribeOptions, group: ConsumerGroup, around: Surroundings) {
    this.topics = [...new Set(options.topics)]
    this.#options = options
    this.#group = group
    this.#around = around
    this.#inFlight = new InFlight(inFlightLimits(options))
  }

  /** Waits until every topic exists, then joins; gives up when the subscription is closed. */
  async connect(): Promise<void> {
    const { clock, random } = this.#around
    for (let attempt = 1; this.#state === 'connecting'; attempt++) {
      const missing = this.topics.find((topic) => !this.#around.topics.has(topic))
      if (missing === undefined) {
        this.#state = 'joined'
        this.#group.join(this)
        return
      }
      this.#tell({ state: 'connecting', attempt, error: new UnknownTopicError(missing) })
      await this.#topicCreated(backoffMs(attempt, random, { maxMs: 5000 }), clock)
    }
  }

  revoke(): Promise<void> {
    if (this.#state === 'joined') this.#tell({ state: 'rebalancing' })
    return this.#stopReaders()
  }

  assign(partitions: readonly TopicPartition[], generation: number): void {
    // The member may have been closed or evicted while the others were stopping.
    if (this.#state !== 'joined') return
    this.#readers = partitions.flatMap((place) => this.#readerOf(place, generation))
    this.#tellRunning()
    for (const reader of this.#readers) reader.wake()
  }

  topicGone(): void {
    if (this.#state !== 'joined') return
    this.#state = 'connecting'
    void this.#stopReaders().then(() => {
      this.#group.leave(this)
      return this.connect()
    })
  }

  async seek({ topic, partition, offset }: TopicPartition & { readonly offset: bigint }): Promise<void> {
    const reader = this.#readers.find(({ log }) => log.topic === topic && log.partition === partition)
    if (reader === undefined || this.#state !== 'joined')
      throw new InvalidConfigurationError(
        `this member of group "${this.#options.group}" does not own ${topic}/${partition}, so it cannot move its position`,
      )
    const hadGap = reader.hasGap
    reader.seek(offset)
    if (hadGap) this.#tellRunning()
  }

  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#shutDown(deadlineMs)
    return this.#closing
  }

  async #shutDown(deadlineMs: number): Promise<void> {
    this.#state = 'closed'
    this.#ending.abort()
    void this.#stopReaders()
    const inTime = new AbortController()
    await Promise.race([
      Promise.all(this.#readers.map((reader) => reader.returned)),
      pause(this.#around.clock, deadlineMs, inTime.signal),
    ])
    inTime.abort()
    const abandoned = this.#readers.filter((reader) => reader.isHandling)
    for (const reader of abandoned) reader.abandon()
    this.#group.leave(this)
    clearImmediate(this.#nextTurn)
    this.#around.onClosed(this)
    if (abandoned.length > 0)
      throw new CloseDeadlineError(
        `${abandoned.length} batch(es) of group "${this.#options.group}" still ran after ${deadlineMs} ms; their records come again`,
      )
  }

  async #stopReaders(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.stop()))
  }

  #readerOf({ topic, partition }: TopicPartition, generation: number): PartitionReader[] {
    const log = this.#around.topics.find(topic)?.[partition]
    if (log === undefined) return []
    const { group, handle, stallMs } = this.#options
    const { maxBatchRecords, clock, random, logger } = this.#around
    return [
      new PartitionReader({
        log,
        group,
        handle,
        stallMs,
        maxBatchRecords,
        inFlight: this.#inFlight,
        clock,
        random,
        logger,
        generation,
        position: this.#group.committed(topic).get(partition) ?? log.low,
        nextGeneration: () => this.#group.nextGeneration(),
        commit: (offset) => this.#group.commit(topic, partition, offset),
        enqueue: (reader) => this.#enqueue(reader),
        onGap: (error) => this.#gap(error),
        onStall: () => this.#evict(topic, partition),
      }),
    ]
  }

  /** One reader a turn, in the order they asked, so that a full partition does not keep the others waiting. */
  #enqueue(reader: PartitionReader): void {
    this.#queue.push(reader)
    this.#nextTurn ??= setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#nextTurn = undefined
    if (this.#inFlight.roomBytes === 0) {
      this.#waitForRoom()
      return
    }
    this.#queue.shift()?.turn()
    if (this.#queue.length > 0) this.#nextTurn ??= setImmediate(() => this.#turn())
  }

  /** Who is in the queue keeps its place. */
  #waitForRoom(): void {
    this.#inFlight.onRelease(() => {
      if (this.#queue.length > 0) this.#nextTurn ??= setImmediate(() => this.#turn())
    })
  }

  #gap(error: HistoryGapError): void {
    this.#tell({ state: 'gap', error })
  }

  /** What a broker does to a member it no longer hears of: the others take over, and it may come back. */
  #evict(topic: string, partition: number): void {
    if (this.#state !== 'joined') return
    this.#state = 'evicted'
    for (const reader of this.#readers) reader.abandon()
    this.#group.leave(this)
    this.#tell({
      state: 'unavailable',
      error: new HandlerDeadlineError(
        `a batch of ${topic}/${partition} showed no progress for ${this.#options.stallMs} ms; this member left group "${this.#options.group}" and joins again when the batch returns`,
      ),
    })
    void Promise.all(this.#readers.map((reader) => reader.returned)).then(() => {
      if (this.#state !== 'evicted') return
      this.#state = 'connecting'
      return this.connect()
    })
  }

  #tellRunning(): void {
    const partitions = this.#readers.map(({ log: { topic, partition } }) => ({ topic, partition }))
    this.#tell({ state: 'running', partitions })
  }

  #tell(status: SourceStatus): void {
    try {
      this.#options.onStatus(status)
    } catch (error) {
      this.#around.logger.error({ group: this.#options.group, error }, 'a listener for the status of a source threw')
    }
  }

  async #topicCreated(atMostMs: number, clock: Clock): Promise<void> {
    const created = new AbortController()
    const unwatch = this.#around.topics.watch(() => created.abort())
    await pause(clock, atMostMs, AbortSignal.any([created.signal, this.#ending.signal]))
    unwatch()
  }
}
