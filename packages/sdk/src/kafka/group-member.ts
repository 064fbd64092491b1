import { type Clock, pause } from '../core/clock.ts'
import { CloseDeadlineError, HistoryGapError, InvalidConfigurationError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions, Verdict } from '../core/transport.ts'
import { BrokerWatch } from './broker-watch.ts'
import type { Driver, DriverBatch, DriverConsumer, PartitionPosition, TopicPartition } from './driver.ts'
import { HeartbeatLoop } from './heartbeat-loop.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { keyOf, PausedPartitions } from './paused-partitions.ts'
import { RunningBatch } from './running-batch.ts'
import { RunningBatches } from './running-batches.ts'
import { within } from './within.ts'

export interface GroupMemberOptions {
  readonly driver: Driver
  readonly subscription: SubscribeOptions
  readonly clock: Clock
  readonly logger: Logger
  readonly heartbeatIntervalMs: number
  readonly commitIntervalMs: number
  readonly rebalanceTimeoutMs: number
  /** Without an answer for this long the broker counts as unavailable. Milliseconds. */
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
/** How long the group may take to answer that a member leaves. Milliseconds. */
const leaveMs = 5000
/** How long a member that has not joined may take to go. Milliseconds. */
const notJoinedMs = 500

/** One member of a consumer group from joining to leaving: hands batches over, vouches for them, commits what is finished. */
export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #consumer: DriverConsumer
  readonly #committer: OffsetCommitter
  readonly #heartbeats: HeartbeatLoop
  readonly #running = new RunningBatches()
  readonly #paused: PausedPartitions
  readonly #watch: BrokerWatch
  #state: State = 'joining'
  #owned: readonly TopicPartition[] = []
  /** Counts the times that partitions were assigned to this member. */
  #assignment = 0
  #generation = 0
  /** Partitions that were moved since have a generation of their own: what was remembered of them is void too. */
  readonly #movedGenerations = new Map<string, number>()
  #mustRejoin = false
  #revoked = false

  constructor(options: GroupMemberOptions) {
    const { driver, subscription, clock, logger, commitIntervalMs, rebalanceTimeoutMs, concurrency } = options
    this.#options = options
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
      answered: () => this.#watch.answered(),
      outOfRange: (place, position) => this.#outOfRange(place, position),
      crashed: (error) => this.#end(error),
    })
    this.#paused = new PausedPartitions(this.#consumer, clock)
    this.#watch = new BrokerWatch({
      clock,
      silenceMs: options.silenceMs,
      giveUpMs: options.giveUpMs,
      graceMs: () => this.#graceMs(),
      silent: (error) => options.tell({ state: 'unavailable', error }),
      back: () => this.#tellRunning(),
      givenUp: (error) => this.#end(error),
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
    this.#running.move(position, new Error(`${key} was moved to offset ${position.offset}`))
    const wasGap = this.#paused.isGap(position)
    this.#movedGenerations.set(key, this.#options.nextGeneration())
    this.#consumer.seek(position)
    this.#paused.resume(position)
    this.#committer.move(position)
    if (wasGap) this.#tellRunning()
  }

  /** Lets running batches finish, commits, leaves the group. @throws CloseDeadlineError */
  async close(deadlineMs: number): Promise<void> {
    const { clock, subscription, logger } = this.#options
    const deadline = clock.monotonic() + deadlineMs
    const joined = this.#state === 'running' || this.#state === 'rejoining'
    this.#state = 'leaving'
    this.#quiet()
    // Otherwise partitions without a running batch would be fetched again and again until the others are done.
    if (joined) this.#consumer.pause(this.#owned)
    this.#running.stopAll(new Error('the subscription is closing'))
    if (!joined && this.#running.size === 0) {
      // Nothing is under way; a join that waits for other members must not hold up whoever closes.
      await within(clock, Math.min(deadlineMs, notJoinedMs), this.#consumer.close())
      return this.abandon()
    }
    const finished = async () => {
      await this.#running.idle()
      await this.#committer.flush()
    }
    await within(clock, deadline - clock.monotonic(), finished())
    const unfinished = this.#running.size
    // Without a broker to tell, leaving would take as long as its return.
    const leaving = unfinished > 0 ? Promise.resolve() : this.#consumer.close()
    const left = await within(clock, Math.min(leaveMs, deadline - clock.monotonic()), leaving)
    this.#heartbeats.stop()
    this.#committer.reset()
    this.#state = 'ended'
    if (!left || unfinished > 0) this.#consumer.abandon()
    if (unfinished > 0)
      throw new CloseDeadlineError(`${unfinished} batch(es) still ran after ${deadlineMs} ms; their records come again`)
    if (!left)
      logger.warn(
        { group: subscription.group },
        'the group could not be told that this member leaves; the others notice when its session is over',
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
    this.#running.stopAll(new Error('the connection to the group is given up'))
    this.#consumer.abandon()
  }

  async #handle(fetched: DriverBatch): Promise<'continue' | 'rejoin'> {
    const key = keyOf(fetched)
    if (this.#state !== 'running' || this.#paused.has(fetched)) return this.#goOn()
    const { clock, subscription, logger } = this.#options
    const generation = this.#movedGenerations.get(key) ?? this.#generation
    const assignment = this.#assignment
    // A batch of an earlier assignment has nothing to say: its partition may be in other hands, and a commit would go
    // through all the same, because it would carry the member's new identity.
    const isCurrent = () => assignment === this.#assignment && !run.moved
    const run = new RunningBatch(fetched, generation, clock, (next) => {
      if (isCurrent()) this.#committer.mark({ topic: run.topic, partition: run.partition, offset: next })
    })
    this.#running.begin(run)
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
    this.#running.end(run)
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
    if (!finished && !run.signal.aborted && verdict.retryInMs > 0 && this.#state === 'running') {
      const { topic, partition } = run
      this.#paused.rest({ topic, partition }, verdict.retryInMs)
    }
  }

  /** The first rejected heartbeat or commit is the only notice that partitions are about to be taken away. */
  #revoke(error: Error): void {
    this.#revoked = true
    this.#running.stopAll(error)
  }

  #stall(error: Error): void {
    if (this.#state !== 'running' && this.#state !== 'rejoining') return
    this.#state = 'stalled'
    this.#quiet()
    this.#running.stopAll(error)
    this.#options.ended(error)
  }

  #end(error: Error): void {
    if (this.#state === 'ended' || this.#state === 'leaving' || this.#state === 'stalled') return
    this.#state = 'ended'
    this.#quiet()
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
      await this.#running.idle()
    }
    if (!this.#mustRejoin) await within(this.#options.clock, lastCommitMs, this.#committer.flush())
  }

  #joined(partitions: readonly TopicPartition[]): void {
    if (this.#state !== 'joining' && this.#state !== 'running' && this.#state !== 'rejoining') return
    // Where records are gone the broker says so again, and nothing is read before that.
    this.#paused.resumeAll()
    this.#committer.reset()
    this.#assignment++
    this.#generation = this.#options.nextGeneration()
    this.#movedGenerations.clear()
    this.#mustRejoin = false
    this.#revoked = false
    this.#owned = partitions
    this.#state = 'running'
    this.#tellRunning()
    this.#watch.start()
  }

  #graceMs(): number {
    if (this.#running.size > 0) return Number.POSITIVE_INFINITY
    return this.#state === 'rejoining' ? this.#options.rebalanceTimeoutMs : 0
  }

  #tellRunning(): void {
    if (this.#state === 'running' && !this.#paused.hasGaps)
      this.#options.tell({ state: 'running', partitions: this.#owned })
  }

  #outOfRange(place: TopicPartition, committed: bigint): bigint {
    this.#paused.gap(place)
    const position = this.#committer.position(place) ?? committed
    void this.#tellGap(place, position, this.#assignment)
    return position
  }

  async #tellGap(place: TopicPartition, committed: bigint, assignment: number): Promise<void> {
    const { driver, subscription, clock, tell } = this.#options
    const { topic, partition } = place
    const isOpen = () => this.#assignment === assignment && this.#paused.isGap(place)
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

  /** No timer of ours fires any more, but the heartbeats of what still runs. */
  #quiet(): void {
    this.#watch.stop()
    this.#paused.forget()
  }
}
