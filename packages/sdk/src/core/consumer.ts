import type { Backoff } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Codec, jsonCodec } from './codec.ts'
import type { Context } from './context.ts'
import { Dispatcher, type Handler } from './dispatch.ts'
import { CloseDeadlineError, ClosedError, InvalidConfigurationError } from './errors.ts'
import type { EventDefinition } from './event.ts'
import { HandOver } from './hand-over.ts'
import { Slots } from './lanes.ts'
import { consoleLogger, type Logger } from './logger.ts'
import { PartitionProgress } from './partition-progress.ts'
import { runPartition } from './partition-run.ts'
import { compose, type Middleware } from './pipeline.ts'
import type { RejectHandler } from './rejection.ts'
import type { Batch, Source, SourceStatus, Subscription, Verdict } from './transport.ts'

/** How a consumer is doing, for readiness. `ready` is false whenever somebody should look. */
export interface ConsumerHealth {
  readonly ready: boolean
  readonly state: 'new' | SourceStatus['state'] | 'blocked' | 'closed'
  /** One line for a person; empty when all is well. */
  readonly detail: string
}

/** The typed edge for handling facts. */
export interface Consumer {
  /**
   * Handles an event. Facts of one key come in order, one at a time; different keys run at once.
   *
   * @throws InvalidConfigurationError when that type and version already has a handler, or the consumer has started.
   */
  on<Type extends string, Data>(event: EventDefinition<Type, Data>, handler: Handler<Type, Data>): Consumer
  /** Adds a middleware around everything added later. */
  use(middleware: Middleware): Consumer
  /**
   * Resolves once the subscription is under way. Waits for a broker that is not there, and for topics that do not exist yet;
   * `health()` says for what.
   */
  start(): Promise<void>
  /**
   * Stops fetching, lets running handlers finish, commits, leaves the group. Must not be awaited inside a handler.
   *
   * @param deadlineMs then the handlers' signals are aborted and their work is abandoned. @default 10000
   * @throws CloseDeadlineError when work had to be abandoned; it will be delivered again.
   */
  close(deadlineMs?: number): Promise<void>
  health(): ConsumerHealth
}

export interface ConsumerOptions {
  readonly source: Source
  /** Consumer group: the identity under which progress is kept. A new group, a renamed one too, starts at the earliest record. */
  readonly group: string
  /** Stores what cannot be read or is not known, with its bytes; the offset moves only after that. */
  readonly rejected: RejectHandler
  /** Events known on these topics: the ones without a handler here are skipped instead of rejected. */
  readonly catalogue?: readonly EventDefinition[]
  /** Handlers running at once, over all partitions. @default 16 */
  readonly concurrency?: number
  /** Longest time for one handler; then its signal is aborted. Milliseconds, not infinite. @default 30000 */
  readonly deadlineMs?: number
  /**
   * Waits between attempts of a handler that failed. The record is tried again until it succeeds, and the records of its
   * key wait. Other keys of its partition go on, but only as far as one fetch from the failing record reaches, since the
   * offset stays there; what lies behind waits until it succeeds. Other partitions are not concerned.
   *
   * A handler whose deadline has passed is tried again only once the old call has returned, so one that ignores its signal
   * holds its key for as long as it runs.
   */
  readonly retry?: Backoff
  /** What records are read with; `codecPerTopic` reads several formats. @default jsonCodec */
  readonly codec?: Codec
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Creates a consumer.
 *
 * @example
 * const consumer = createConsumer({ source: broker, group: 'shipping', rejected: rejectedStore(sql) })
 * consumer.on(OrderCreated, async (event) => ship(event.data.orderId))
 * await consumer.start()
 *
 * @throws InvalidConfigurationError for an empty group, or limits that are not positive and finite.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { group, concurrency = 16, deadlineMs = 30_000 } = options
  if (group === '')
    throw new InvalidConfigurationError('a consumer needs a group: the name its progress is kept under, got ""')
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new InvalidConfigurationError(`concurrency must be a whole number from 1 up, got ${concurrency}`)
  // Without an end a hung handler would hold its partition for good.
  if (!(deadlineMs > 0 && Number.isFinite(deadlineMs)))
    throw new InvalidConfigurationError(`deadlineMs must be a number of milliseconds above 0, got ${deadlineMs}`)
  return new TypedConsumer(options)
}

/** What committing and leaving the group may take on top of a close's deadline. Milliseconds. */
const leaveMs = 2000

class TypedConsumer implements Consumer {
  readonly #options: ConsumerOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #dispatcher: Dispatcher
  readonly #middleware: Middleware[] = []
  readonly #slots: Slots
  readonly #deadlineMs: number
  readonly #handOver: HandOver
  readonly #partitions = new Map<string, PartitionProgress>()
  readonly #starting = new AbortController()
  #pipeline: (context: Context) => void | Promise<void>
  #subscription: Promise<Subscription> | undefined
  #status: SourceStatus | undefined
  #closing: Promise<void> | undefined

  constructor(options: ConsumerOptions) {
    const { clock = systemClock, logger = consoleLogger, catalogue = [], codec = jsonCodec } = options
    this.#options = options
    this.#clock = clock
    this.#logger = logger
    this.#dispatcher = new Dispatcher(codec, catalogue)
    this.#slots = new Slots(options.concurrency ?? 16)
    this.#deadlineMs = options.deadlineMs ?? 30_000
    this.#handOver = new HandOver({
      clock,
      logger,
      deadlineMs: this.#deadlineMs,
      rejected: options.rejected,
      retry: options.retry ?? {},
      random: options.random ?? Math.random,
    })
    this.#pipeline = (context) => this.#dispatcher.dispatch(context)
  }

  on<Type extends string, Data>(event: EventDefinition<Type, Data>, handler: Handler<Type, Data>): Consumer {
    this.#mustBeNew('handlers')
    this.#dispatcher.register(event, handler)
    return this
  }

  use(middleware: Middleware): Consumer {
    this.#mustBeNew('middleware')
    this.#middleware.push(middleware)
    return this
  }

  async start(): Promise<void> {
    if (this.#closing !== undefined)
      throw new ClosedError(`the consumer of group "${this.#options.group}" is closed; create a new one`)
    this.#subscription ??= this.#subscribe()
    await this.#subscription
  }

  close(deadlineMs = 10_000): Promise<void> {
    this.#closing ??= this.#shutDown(deadlineMs)
    return this.#closing
  }

  health(): ConsumerHealth {
    if (this.#closing !== undefined) return { ready: false, state: 'closed', detail: 'closed' }
    const status = this.#status
    if (status === undefined) return { ready: false, state: 'new', detail: 'not started' }
    if (status.state !== 'running') return { ready: false, state: status.state, detail: describe(status) }
    for (const [partition, progress] of this.#partitions) {
      const blocked = progress.blockedBy
      if (blocked !== undefined)
        return {
          ready: false,
          state: 'blocked',
          detail: `${partition} waits at offset ${blocked.offset}, failed ${blocked.attempts} time(s): ${blocked.error.message}`,
        }
    }
    return { ready: true, state: 'running', detail: '' }
  }

  #subscribe(): Promise<Subscription> {
    const { source, group } = this.#options
    const topics = this.#dispatcher.topics
    if (topics.length === 0)
      throw new InvalidConfigurationError(
        `the consumer of group "${group}" has no handlers; call on(event, handler) before start()`,
      )
    this.#pipeline = compose(this.#middleware, this.#pipeline)
    return source.subscribe({
      group,
      topics,
      handle: (batch) => this.#handle(batch),
      // The deadline watch notices up to a tenth late; only beyond that is silence a stall.
      stallMs: this.#deadlineMs * 1.2 + 1000,
      onStatus: (status) => this.#observe(status),
      signal: this.#starting.signal,
    })
  }

  async #shutDown(deadlineMs: number): Promise<void> {
    this.#starting.abort(new ClosedError('the consumer was closed while it started'))
    let abandoned = 0
    const overdue = this.#clock.after(deadlineMs, () => {
      abandoned = this.#handOver.giveUp()
    })
    try {
      // A subscription that never came about has nothing to close; its caller has the error.
      const subscription = await this.#subscription?.catch(() => undefined)
      // The source gets a little longer: once the handlers are given up it still has to commit and leave the group.
      await subscription?.close(deadlineMs + leaveMs)
      if (abandoned > 0)
        throw new CloseDeadlineError(
          `${abandoned} handler(s) still ran after ${deadlineMs} ms; their events come again`,
        )
    } finally {
      overdue.cancel()
      this.#handOver.close()
    }
  }

  async #handle(batch: Batch): Promise<Verdict> {
    const name = `${batch.topic}/${batch.partition}`
    let progress = this.#partitions.get(name)
    if (progress === undefined || progress.generation !== batch.generation) {
      progress = new PartitionProgress(batch.generation)
      this.#partitions.set(name, progress)
    }
    const current = progress
    return runPartition({
      batch,
      progress: current,
      slots: this.#slots,
      clock: this.#clock,
      handOver: (delivery) => this.#handOver.run(this.#pipeline, delivery, current),
    })
  }

  #observe(status: SourceStatus): void {
    this.#status = status
    if (status.state === 'running') this.#forget(status.partitions)
    const fields = { group: this.#options.group, ...status }
    if (status.state === 'unavailable' || status.state === 'gap') this.#logger.error(fields, describe(status))
    else if (status.state === 'connecting' && status.error !== undefined) this.#logger.warn(fields, describe(status))
    else this.#logger.info(fields, `consumer ${status.state}`)
  }

  /** Drops what is remembered of partitions that are no longer ours. */
  #forget(owned: readonly { readonly topic: string; readonly partition: number }[]): void {
    const names = new Set(owned.map(({ topic, partition }) => `${topic}/${partition}`))
    for (const name of this.#partitions.keys()) if (!names.has(name)) this.#partitions.delete(name)
  }

  #mustBeNew(what: string): void {
    if (this.#subscription !== undefined || this.#closing !== undefined)
      throw new InvalidConfigurationError(
        `${what} must be added before the consumer of group "${this.#options.group}" starts`,
      )
  }
}

function describe(status: SourceStatus): string {
  if (status.state === 'connecting')
    return `connecting, attempt ${status.attempt}${status.error === undefined ? '' : `: ${status.error.message}`}`
  return 'error' in status && status.error !== undefined ? status.error.message : status.state
}
