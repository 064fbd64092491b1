import { Attempts } from './attempts.ts'
import { Circuit } from './circuit.ts'
import { type Clock, systemClock } from './clock.ts'
import { jsonCodec } from './codec.ts'
import { type ConsumerHealth, describeStatus, healthOf } from './consumer-health.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import type { Context } from './context.ts'
import { Dispatcher, type Handler } from './dispatch.ts'
import { dueBatch } from './due-batch.ts'
import { CloseDeadlineError, ClosedError, InvalidConfigurationError } from './errors.ts'
import type { EventDefinition } from './event.ts'
import type { FailedEventsMember } from './failed-events.ts'
import { failureOf } from './failure.ts'
import { HandAgain } from './hand-again.ts'
import { HandOver } from './hand-over.ts'
import type { HandlerOptions } from './handler-options.ts'
import { inFlightLimits } from './in-flight.ts'
import { Slots } from './lanes.ts'
import { consoleLogger, type Logger } from './logger.ts'
import { PartitionProgress } from './partition-progress.ts'
import { runPartition } from './partition-run.ts'
import { compose, type Middleware } from './pipeline.ts'
import { mustBePolicy, spanInPlaceMs } from './retry-policy.ts'
import { unlessMisused } from './start-check.ts'
import type { Batch, SourceStatus, Subscription, Verdict } from './transport.ts'

/** The typed edge for handling facts. */
export interface Consumer {
  /**
   * Handles an event. Facts of one key come in order, one at a time; different keys run at once.
   *
   * @throws InvalidConfigurationError when that type and version already has a handler, or the consumer has started.
   */
  on<Type extends string, Data>(
    event: EventDefinition<Type, Data>,
    handler: Handler<Type, Data>,
    options?: HandlerOptions,
  ): Consumer
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

/**
 * Creates a consumer.
 *
 * @example
 * const consumer = createConsumer({ source: broker, group: 'shipping', rejected: deadLetters.rejected })
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
  inFlightLimits(options)
  mustBePolicy(options.retry ?? {}, `the consumer of group "${group}"`)
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
  readonly #attempts: Attempts
  readonly #circuit: Circuit
  #handOver: HandOver | undefined
  #takesOver: FailedEventsMember | undefined
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
    const timing = { clock, logger }
    this.#attempts = new Attempts({ ...timing, deadlineMs: this.#deadlineMs })
    this.#circuit = new Circuit({
      ...timing,
      group: options.group,
      random: options.random ?? Math.random,
      backoff: { initialMs: 200, maxMs: 5000, ...options.probe },
    })
    this.#pipeline = (context) => this.#dispatcher.dispatch(context)
  }

  on<Type extends string, Data>(
    event: EventDefinition<Type, Data>,
    handler: Handler<Type, Data>,
    options: HandlerOptions = {},
  ): Consumer {
    this.#mustBeNew('handlers')
    mustBePolicy(options.retry ?? {}, `${event.type} ${event.version} in group "${this.#options.group}"`)
    this.#dispatcher.register(event, handler, options)
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
    return healthOf(status, this.#circuit.outage, this.#partitions, this.#takesOver !== undefined)
  }

  #subscribe(): Promise<Subscription> {
    const { source, group, failed, maxInFlightBytes, maxInFlightRecords } = this.#options
    const topics = this.#dispatcher.topics
    if (topics.length === 0)
      throw new InvalidConfigurationError(
        `the consumer of group "${group}" has no handlers; call on(event, handler) before start()`,
      )
    this.#mustRemember()
    this.#pipeline = compose(this.#middleware, this.#pipeline)
    this.#join(topics)
    const subscription = source.subscribe({
      group,
      topics: [...topics, ...(failed?.topics?.(group, topics) ?? [])],
      handle: (batch) => this.#handle(batch),
      // The deadline watch notices up to a tenth late; only beyond that is silence a stall.
      stallMs: this.#deadlineMs * 1.2 + 1000,
      onStatus: (status) => this.#observe(status),
      ...(maxInFlightBytes === undefined ? {} : { maxInFlightBytes }),
      ...(maxInFlightRecords === undefined ? {} : { maxInFlightRecords }),
      signal: this.#starting.signal,
    })
    const check = this.#takesOver?.check?.()
    return check === undefined ? subscription : unlessMisused(subscription, check, this.#starting)
  }

  async #shutDown(deadlineMs: number): Promise<void> {
    this.#starting.abort(new ClosedError('the consumer was closed while it started'))
    let abandoned = 0
    const overdue = this.#clock.after(deadlineMs, () => {
      abandoned = this.#attempts.giveUp()
    })
    try {
      // A subscription that never came about has nothing to close; its caller has the error.
      const subscription = await this.#subscription?.catch(() => undefined)
      // The source gets a little longer: once the handlers are given up it still has to commit and leave the group.
      // What was taken over comes again all the same; no new attempt begins meanwhile.
      await Promise.all([subscription?.close(deadlineMs + leaveMs), this.#takesOver?.close(deadlineMs)])
      if (abandoned > 0)
        throw new CloseDeadlineError(
          `${abandoned} handler(s) still ran after ${deadlineMs} ms; their events come again`,
        )
    } finally {
      overdue.cancel()
      this.#attempts.close()
    }
  }

  /** Makes what hands deliveries over, and whoever takes over what fails. */
  #join(topics: readonly string[]): void {
    const { group, failed, retry = {}, rejected, random = Math.random } = this.#options
    const parts = { attempts: this.#attempts, circuit: this.#circuit, clock: this.#clock, logger: this.#logger }
    const options = { ...parts, rejected, retry, random }
    const again = new HandAgain(
      { ...options, slots: this.#slots, isClosing: () => this.#closing !== undefined },
      this.#pipeline,
    )
    this.#takesOver = failed?.join({
      ...{ group, topics, deadlineMs: this.#deadlineMs, clock: this.#clock, logger: this.#logger },
      run: (delivery) => again.run(delivery),
    })
    this.#handOver = new HandOver(options, this.#pipeline, this.#takesOver)
  }

  /** An event that comes again after the inbox has forgotten it would have its effect twice. */
  #mustRemember(): void {
    const { group, failed, retry = {} } = this.#options
    if (failed === undefined) return
    for (const { event, options, memoryMs } of this.#dispatcher.handlings()) {
      const spanMs = spanInPlaceMs({ ...retry, ...options.retry }, this.#deadlineMs) + failed.spanMs
      if (spanMs > memoryMs)
        throw new InvalidConfigurationError(
          `group "${group}" may try ${event.type} ${event.version} again for ${spanMs} ms after it failed first, but its inbox remembers for ${memoryMs} ms only: ` +
            'an attempt that had succeeded unseen would have its effect twice. Raise retentionMs of the inbox, or retry for a shorter time.',
        )
    }
  }

  async #handle(batch: Batch): Promise<Verdict> {
    const progress = await this.#progressOf(batch)
    const handOver = this.#handOver
    if (progress === undefined || handOver === undefined)
      return { next: batch.deliveries[0]?.offset ?? 0n, retryInMs: Math.max(1, this.#circuit.restMs) }
    const due = dueBatch(batch, this.#takesOver)
    if (due.batch === undefined) return { next: batch.deliveries[0]?.offset ?? 0n, retryInMs: due.restMs }
    return runPartition({
      batch: due.batch,
      progress,
      slots: this.#slots,
      clock: this.#clock,
      restMs: () => this.#circuit.restMs,
      handOver: (delivery) => handOver.run(delivery, progress),
    })
  }

  /** What is remembered of the batch's partition; nothing when it is not known yet which of its keys wait. */
  async #progressOf({ topic, partition, generation }: Batch): Promise<PartitionProgress | undefined> {
    const name = `${topic}/${partition}`
    const known = this.#partitions.get(name)
    if (known?.generation === generation) return known
    try {
      await this.#takesOver?.assigned(topic, partition)
    } catch (thrown) {
      const failure = failureOf(thrown, this.#options.retry ?? {})
      const part = failure.kind === 'outage' ? failure.part : 'store of failed events'
      this.#circuit.failed(part, failure.error, true)
      return undefined
    }
    const fresh = new PartitionProgress(generation)
    this.#partitions.set(name, fresh)
    return fresh
  }

  #observe(status: SourceStatus): void {
    this.#status = status
    if (status.state === 'running') this.#forget(status.partitions)
    const fields = { group: this.#options.group, ...status }
    if (status.state === 'unavailable' || status.state === 'gap') this.#logger.error(fields, describeStatus(status))
    else if (status.state === 'connecting' && status.error !== undefined)
      this.#logger.warn(fields, describeStatus(status))
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
