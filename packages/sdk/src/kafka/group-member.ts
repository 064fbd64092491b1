import { type Clock, pause, type Timer } from '../core/clock.ts'
import {
  BrokerUnavailableError,
  CloseDeadlineError,
  HistoryGapError,
  InvalidConfigurationError,
} from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions, Verdict } from '../core/transport.ts'
import type { Driver, DriverBatch, DriverConsumer, PartitionPosition, TopicPartition } from './driver.ts'
import { HeartbeatLoop } from './heartbeat-loop.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { RunningBatch } from './running-batch.ts'

export interface GroupMemberOptions {
  readonly driver: Driver
  readonly subscription: SubscribeOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly heartbeatIntervalMs: number
  readonly commitIntervalMs: number
  readonly rebalanceTimeoutMs: number
  /** Without an answered fetch for this long the broker counts as unavailable. Milliseconds. */
  readonly silenceMs: number
  /** After this long without one the member gives up, to be replaced. Milliseconds. */
  readonly giveUpMs: number
  readonly concurrency: number
  /** Counts one assignment, over all members that this subscription ever had. */
  nextGeneration(): number
  tell(status: SourceStatus): void
  /** Called once when the member can go on no longer. */
  ended(error: Error): void
}

type State = 'joining' | 'running' | 'rejoining' | 'stalled' | 'leaving' | 'ended'

/** How long a rejected `handle` rests before its records are handed over again. Milliseconds. */
const rejectedRestMs = 1000
/** How long the last commit of an assignment may hold up the next. Milliseconds. */
const lastCommitMs = 5000
/** How long a member that has not joined may take to go. Milliseconds. */
const notJoinedMs = 500

/** One member of a consumer group from joining to leaving: hands batches over, vouches for them, commits what is finished. */
export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #consumer: DriverConsumer
  readonly #committer: OffsetCommitter
  readonly #heartbeats: HeartbeatLoop
  readonly #running = new Set<RunningBatch>()
  /** Partitions that rest until their timer resumes them. */
  readonly #resting = new Map<string, { readonly place: TopicPartition; readonly timer: Timer }>()
  readonly #gaps = new Map<string, TopicPartition>()
  #whenIdle: (() => void)[] = []
  #state: State = 'joining'
  #owned: readonly TopicPartition[] = []
  /** Counts the times that partitions were assigned to this member. */
  #assignment = 0
  #generation = 0
  /** Partitions that were moved since have a generation of their own: what was remembered of them is void too. */
  readonly #movedGenerations = new Map<string, number>()
  #mustRejoin = false
  #revoked = false
  #fetchedAt: number
  #unavailable = false
  #watch: Timer | undefined

  constructor(options: GroupMemberOptions) {
    const { driver, subscription, clock, logger, commitIntervalMs, rebalanceTimeoutMs, concurrency } = options
    this.#options = options
    this.#fetchedAt = clock.monotonic()
    this.#committer = new OffsetCommitter({
      clock,
      logger,
      intervalMs: commitIntervalMs,
      lost: () => {
        this.#mustRejoin = true
        this.#revoke(new Error('the group has moved on'))
      },
    })
    this.#heartbeats = new HeartbeatLoop({
      clock,
      intervalMs: options.heartbeatIntervalMs,
      stallMs: subscription.stallMs,
      running: this.#running,
      alive: () => {
        this.#revoked = false
      },
      revoked: (error) => this.#revoke(error),
      stalled: (error) => this.#stall(error),
    })
    this.#consumer = driver.consumer({
      group: subscription.group,
      topics: subscription.topics,
      rebalanceTimeoutMs,
      concurrency,
      handle: (batch) => this.#handle(batch),
      beforeJoin: () => this.#beforeJoin(),
      joined: (partitions) => this.#joined(partitions),
      fetched: () => this.#fetched(),
      outOfRange: (place, position) => this.#outOfRange(place, position),
      crashed: (error) => this.#end(error),
    })
  }

  /** Resolves when the group was joined. */
  start(): Promise<void> {
    return this.#consumer.start()
  }

  seek(position: PartitionPosition): void {
    const key = keyOf(position)
    if (!this.#owned.some((place) => keyOf(place) === key))
      throw new InvalidConfigurationError(
        `${key} is not assigned to this member of group "${this.#options.subscription.group}"; seek where it is, or set the group's offsets`,
      )
    for (const run of this.#running) {
      if (keyOf(run) !== key) continue
      run.moved = true
      run.stop(new Error(`${key} was moved to offset ${position.offset}`))
    }
    this.#wake(key)
    const wasGap = this.#gaps.delete(key)
    this.#movedGenerations.set(key, this.#options.nextGeneration())
    this.#consumer.seek(position)
    this.#consumer.resume([position])
    this.#committer.move(position)
    if (wasGap && this.#gaps.size === 0) this.#tellRunning()
  }

  /** Lets running batches finish, commits, leaves the group. @throws CloseDeadlineError */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#options
    const deadline = clock.monotonic() + deadlineMs
    const joined = this.#state === 'running' || this.#state === 'rejoining'
    this.#state = 'leaving'
    this.#quiet()
    // Otherwise partitions without a running batch would be fetched again and again until the others are done.
    if (joined) this.#consumer.pause(this.#owned)
    this.#stopRunning(new Error('the subscription is closing'))
    if (!joined && this.#running.size === 0) {
      // Nothing is under way; a join that waits for other members must not hold up whoever closes.
      await this.#within(Math.min(deadlineMs, notJoinedMs), this.#consumer.close())
      return this.abandon()
    }
    const left = async () => {
      await this.#idle()
      await this.#committer.flush()
      await this.#consumer.close()
    }
    const late = await this.#within(deadline - clock.monotonic(), left())
    this.#heartbeats.stop()
    this.#committer.reset()
    const unfinished = this.#running.size
    this.#state = 'ended'
    if (!late) return
    this.#consumer.abandon()
    throw new CloseDeadlineError(
      unfinished > 0
        ? `${unfinished} batch(es) still ran after ${deadlineMs} ms; their records come again`
        : `the group could not be left within ${deadlineMs} ms; its other members notice when the session times out`,
    )
  }

  /** Leaves without limits, once the handlers have returned; for a member that no longer vouches for them. */
  async leave(): Promise<void> {
    await this.#consumer.close().catch(() => {})
    this.abandon()
  }

  /** Ends at once, without a word to the group. */
  abandon(): void {
    this.#quiet()
    this.#state = 'ended'
    this.#heartbeats.stop()
    this.#committer.reset()
    this.#stopRunning(new Error('the connection to the group is given up'))
    this.#consumer.abandon()
  }

  async #handle(fetched: DriverBatch): Promise<'continue' | 'rejoin'> {
    const key = keyOf(fetched)
    if (this.#state !== 'running' || this.#resting.has(key) || this.#gaps.has(key)) return this.#goOn()
    const { clock, subscription, logger } = this.#options
    const generation = this.#movedGenerations.get(key) ?? this.#generation
    const assignment = this.#assignment
    // A batch of an earlier assignment has nothing to say: its partition may be in other hands, and a commit would go
    // through all the same, because it would carry the member's new identity.
    const isCurrent = () => assignment === this.#assignment && !run.moved
    const run = new RunningBatch(fetched, generation, clock, (next) => {
      if (isCurrent()) this.#committer.mark({ topic: run.topic, partition: run.partition, offset: next })
    })
    this.#running.add(run)
    this.#committer.by((positions) => fetched.commit(positions))
    this.#heartbeats.start()
    try {
      const verdict = await subscription.handle(run)
      this.#conclude(run, verdict, isCurrent)
    } catch (error) {
      logger.error(
        { error, topic: run.topic, partition: run.partition },
        'the handler of a batch rejected; it is handed over again',
      )
      this.#conclude(run, { next: run.settled, retryInMs: rejectedRestMs }, isCurrent)
    }
    this.#running.delete(run)
    if (this.#running.size === 0) for (const idle of this.#whenIdle.splice(0)) idle()
    // The last chance: once this returns, the group may be joined again and the assignment is history.
    if (this.#revoked || this.#state !== 'running') await this.#committer.flush()
    return this.#goOn()
  }

  #goOn(): 'continue' | 'rejoin' {
    return this.#mustRejoin && this.#state === 'running' ? 'rejoin' : 'continue'
  }

  #conclude(run: RunningBatch, verdict: Verdict, isCurrent: () => boolean): void {
    const before = run.deliveries[0]?.offset
    const finished = run.conclude(verdict)
    if (!isCurrent()) return
    if (before !== undefined && run.settled > before) run.fetched.advance(run.settled)
    if (!finished && !run.signal.aborted && verdict.retryInMs > 0) this.#rest(run, verdict.retryInMs)
  }

  #rest({ topic, partition }: TopicPartition, ms: number): void {
    const place = { topic, partition }
    const key = keyOf(place)
    this.#consumer.pause([place])
    const timer = this.#options.clock.after(ms, () => {
      this.#resting.delete(key)
      this.#consumer.resume([place])
    })
    this.#resting.set(key, { place, timer })
  }

  #wake(key: string): void {
    this.#resting.get(key)?.timer.cancel()
    this.#resting.delete(key)
  }

  /** The first rejected heartbeat or commit is the only notice that partitions are about to be taken away. */
  #revoke(error: Error): void {
    this.#revoked = true
    this.#stopRunning(error)
  }

  #stall(error: Error): void {
    if (this.#state !== 'running' && this.#state !== 'rejoining') return
    this.#state = 'stalled'
    this.#quiet()
    this.#stopRunning(error)
    this.#options.ended(error)
  }

  #end(error: Error): void {
    if (this.#state === 'ended' || this.#state === 'leaving' || this.#state === 'stalled') return
    this.#state = 'ended'
    this.#options.ended(error)
  }

  async #beforeJoin(): Promise<void> {
    if (this.#state !== 'running' && this.#state !== 'rejoining') return
    if (this.#state === 'running') {
      this.#state = 'rejoining'
      this.#options.tell({ state: 'rebalancing' })
    }
    if (this.#running.size > 0) {
      this.#revoke(new Error('partitions are handed out anew'))
      await this.#idle()
    }
    if (!this.#mustRejoin) await this.#within(lastCommitMs, this.#committer.flush())
  }

  #joined(partitions: readonly TopicPartition[]): void {
    if (this.#state !== 'joining' && this.#state !== 'running' && this.#state !== 'rejoining') return
    const held = [...Array.from(this.#resting.values(), ({ place }) => place), ...this.#gaps.values()]
    for (const key of [...this.#resting.keys()]) this.#wake(key)
    this.#gaps.clear()
    this.#consumer.resume(held)
    this.#committer.reset()
    this.#assignment++
    this.#generation = this.#options.nextGeneration()
    this.#movedGenerations.clear()
    this.#mustRejoin = false
    this.#revoked = false
    this.#owned = partitions
    this.#state = 'running'
    this.#fetchedAt = this.#options.clock.monotonic()
    this.#unavailable = false
    this.#tellRunning()
    this.#keepWatch()
  }

  #fetched(): void {
    this.#fetchedAt = this.#options.clock.monotonic()
    if (!this.#unavailable || this.#state !== 'running') return
    this.#unavailable = false
    this.#tellRunning()
  }

  #tellRunning(): void {
    if (this.#gaps.size === 0) this.#options.tell({ state: 'running', partitions: this.#owned })
  }

  #outOfRange(place: TopicPartition, committed: bigint): bigint {
    const key = keyOf(place)
    this.#wake(key)
    this.#gaps.set(key, place)
    const position = this.#committer.position(place) ?? committed
    void this.#tellGap(place, position, this.#assignment)
    return position
  }

  async #tellGap({ topic, partition }: TopicPartition, committed: bigint, assignment: number): Promise<void> {
    const { driver, subscription, clock, tell } = this.#options
    const isOpen = () => this.#assignment === assignment && this.#gaps.has(keyOf({ topic, partition }))
    while (isOpen()) {
      const offsets = await driver.admin.offsets(topic).catch(() => undefined)
      const low = offsets?.find((candidate) => candidate.partition === partition)?.low
      if (low !== undefined) {
        const gap = { topic, partition, committed, available: low, group: subscription.group }
        if (isOpen()) tell({ state: 'gap', error: new HistoryGapError(gap) })
        return
      }
      await pause(clock, 1000)
    }
  }

  /** kafkajs repeats without a word while a broker is away, and sometimes for good; what it fetched last tells. */
  #keepWatch(): void {
    this.#watch?.cancel()
    const { clock, silenceMs, giveUpMs, rebalanceTimeoutMs } = this.#options
    this.#watch = clock.after(Math.min(1000, silenceMs), () => {
      if (this.#state !== 'running' && this.#state !== 'rejoining') return
      const silentMs = this.#running.size > 0 ? 0 : clock.monotonic() - this.#fetchedAt
      const grace = this.#state === 'rejoining' ? rebalanceTimeoutMs : 0
      const error = new BrokerUnavailableError(`no fetch was answered for ${Math.round(silentMs)} ms`)
      if (silentMs > giveUpMs + grace) return this.#end(error)
      if (silentMs > silenceMs + grace && !this.#unavailable) {
        this.#unavailable = true
        this.#options.tell({ state: 'unavailable', error })
      }
      this.#keepWatch()
    })
  }

  /** No timer of ours fires any more, but the heartbeats of what still runs. */
  #quiet(): void {
    this.#watch?.cancel()
    for (const key of [...this.#resting.keys()]) this.#wake(key)
    this.#gaps.clear()
  }

  #stopRunning(reason: Error): void {
    for (const run of this.#running) run.stop(reason)
  }

  #idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Waits for work that never rejects of importance, up to a limit; tells whether the limit was reached. */
  #within(ms: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(Math.max(0, ms), () => resolve(true))
      const done = () => {
        timer.cancel()
        resolve(false)
      }
      work.then(done, done)
    })
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
