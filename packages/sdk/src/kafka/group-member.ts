import type { Clock } from '../core/clock.ts'
import { CloseDeadlineError, InvalidConfigurationError } from '../core/errors.ts'
import { InFlight, inFlightLimits } from '../core/in-flight.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus, SubscribeOptions, Verdict } from '../core/transport.ts'
import { Assignment } from './assignment.ts'
import { BrokerWatch } from './broker-watch.ts'
import type { Driver, DriverBatch, DriverConsumer, PartitionPosition, TopicPartition } from './driver.ts'
import { HeartbeatLoop } from './heartbeat-loop.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { keyOf, PausedPartitions } from './paused-partitions.ts'
import { RunningBatch } from './running-batch.ts'
import { RunningBatches } from './running-batches.ts'
import { UndecidedPartitions } from './undecided-partitions.ts'
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
  readonly historyGap: 'stop' | 'oldest'
  /** Counts one assignment, over all members that this subscription ever had. */
  nextGeneration(): number
  tell(status: SourceStatus): void
  /** Called once when the member can go on no longer. */
  ended(error: Error): void
}

type State = 'joining' | 'running' | 'rejoining' | 'stalled' | 'leaving' | 'ended'

/** How long a rejected `handle` rests before its records are handed over again. Milliseconds. */
const rejectedRestMs = 1000
/** How long a batch may keep the partitions beside it from being fetched. Milliseconds. */
const longBatchMs = 500
/** How long the last commit of an assignment may hold up the next. Milliseconds. */
const lastCommitMs = 5000
/** How long the group may take to answer that a member leaves. Milliseconds. */
const leaveMs = 5000
/** How long a fetch waits for room. Milliseconds. */
const roomMs = 250
/** How long a member that can go on no longer may take to say so. Milliseconds. */
const endedMs = 2000
/** How long a member that has not joined may take to go. Milliseconds. */
const notJoinedMs = 500

/** One member of a consumer group from joining to leaving: hands batches over, vouches for them, commits what is finished. */
export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #consumer: DriverConsumer
  readonly #committer: OffsetCommitter
  readonly #heartbeats: HeartbeatLoop
  readonly #running = new RunningBatches()
  readonly #inFlight: InFlight
  readonly #paused: PausedPartitions
  readonly #undecided: UndecidedPartitions
  readonly #watch: BrokerWatch
  #state: State = 'joining'
  #assignment = new Assignment([], 0)
  /** Ends the waiting for handlers that show no progress. */
  #giveUp = () => {}
  readonly #givenUp: Promise<void>
  #mustRejoin = false
  #revoked = false

  constructor(options: GroupMemberOptions) {
    const { driver, subscription, clock, logger, commitIntervalMs, rebalanceTimeoutMs, concurrency } = options
    this.#options = options
    this.#inFlight = new InFlight(inFlightLimits(subscription))
    this.#givenUp = new Promise((resolve) => {
      this.#giveUp = resolve
    })
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
      roomBytes: () => this.#roomBytes(),
      handle: (batch) => this.#handle(batch),
      beforeJoin: () => this.#beforeJoin(),
      mustJoin: () => this.#state === 'rejoining',
      joined: (partitions) => this.#joined(partitions),
      answered: () => this.#answered(),
      outOfRange: (place, position) => this.#outOfRange(place, position),
      unreadable: (error) => this.#undecided.unreadable(error),
      crashed: (error) => this.#end(error),
    })
    this.#paused = new PausedPartitions(this.#consumer, clock)
    this.#undecided = new UndecidedPartitions({
      ...{ admin: driver.admin, clock, logger, group: subscription.group },
      historyGap: options.historyGap,
      paused: this.#paused,
      assignment: () => this.#assignment,
      seek: (position) => this.seek(position),
      tell: options.tell,
    })
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
    const assignment = this.#assignment
    const name = keyOf(position)
    if (!assignment.has(position))
      throw new InvalidConfigurationError(
        `${name} is not assigned to this member of group "${this.#options.subscription.group}"; seek where it is, or set the group's offsets`,
      )
    this.#running.move(position, new Error(`${name} was moved to offset ${position.offset}`))
    const wasUndecided = this.#paused.isUndecided(position)
    assignment.move(position, this.#options.nextGeneration())
    this.#consumer.seek(position)
    // A batch of it that still runs resumes it when it has ended: never two at once.
    if (!this.#paused.isBusy(position)) this.#paused.resume(position)
    this.#committer.move(position)
    if (wasUndecided) this.#tellRunning()
  }

  /** Lets running batches finish, commits, leaves the group. @throws CloseDeadlineError */
  async close(deadlineMs: number): Promise<void> {
    const { clock, subscription, logger } = this.#options
    const deadline = clock.monotonic() + deadlineMs
    const joined = this.#state === 'running' || this.#state === 'rejoining'
    this.#state = 'leaving'
    this.#quiet()
    // Otherwise partitions without a running batch would be fetched again and again until the others are done.
    if (joined) this.#consumer.pause(this.#assignment.partitions)
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
    this.#heartbeats.stop()
    if (unfinished > 0) this.#giveUp()
    // Without a broker to tell, leaving would take as long as its return.
    const leaving = within(clock, leaveMs, this.#consumer.close())
    const left = unfinished === 0 && (await within(clock, deadline - clock.monotonic(), leaving)) && (await leaving)
    this.#committer.reset()
    this.#state = 'ended'
    if (unfinished > 0) {
      void leaving.then(() => this.#consumer.abandon())
      throw new CloseDeadlineError(
        `${unfinished} batch(es) still ran after ${Math.round(deadlineMs)} ms; their records come again`,
      )
    }
    if (!left) this.#consumer.abandon()
    if (!left)
      logger.warn(
        { group: subscription.group },
        'the group could not be told that this member leaves; the others notice when its session is over',
      )
  }

  /**
   * Leaves the group, when there is a broker to tell, so that others take over at once. Resolves when the last handler has
   * returned: the next member could be given the same partitions, and no partition is ever handled twice at once.
   */
  async leave(): Promise<void> {
    await within(this.#options.clock, endedMs, this.#consumer.close())
    this.abandon()
    await this.#running.idle()
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
    if (this.#state !== 'running' || this.#paused.has(fetched)) return this.#goOn()
    const { clock } = this.#options
    const assignment = this.#assignment
    // What another connection still had under way while the group was joined or the partition moved: it would count as
    // current, and be committed under the new generation.
    if (!assignment.has(fetched) || fetched.isStale()) return this.#goOn()
    // A batch of an earlier assignment has nothing to say: its partition may be in other hands, and a commit would go
    // through all the same, because it would carry the member's new identity.
    const isCurrent = () => assignment === this.#assignment && !run.moved
    const run = new RunningBatch(fetched, assignment.generationOf(fetched), clock, (next) => {
      if (isCurrent()) this.#committer.mark({ topic: run.topic, partition: run.partition, offset: next })
    })
    this.#running.begin(run)
    this.#inFlight.take(run)
    this.#committer.by((positions) => fetched.commit(positions))
    this.#heartbeats.start()
    const work = this.#work(run, isCurrent)
    // The client fetches nothing while a batch is in its hands, of no partition. A long one is taken out of them.
    if (assignment.partitions.length > 1 && !(await within(clock, longBatchMs, work))) {
      if (isCurrent() && this.#state === 'running') {
        this.#paused.busy(run)
        return this.#goOn()
      }
    }
    await Promise.race([work, this.#givenUp])
    // The last chance: once this returns, the group may be joined again and the assignment is history.
    if (this.#revoked || this.#state !== 'running') await this.#committer.flush()
    return this.#goOn()
  }

  /** From the handing over to the verdict. Does not reject. */
  async #work(run: RunningBatch, isCurrent: () => boolean): Promise<void> {
    const { subscription, logger } = this.#options
    const { topic, partition } = run
    let verdict: Verdict
    try {
      verdict = await subscription.handle(run)
    } catch (error) {
      logger.error({ error, topic, partition }, 'the handler of a batch rejected; it is handed over again')
      verdict = { next: run.settled, retryInMs: rejectedRestMs }
    }
    try {
      this.#conclude(run, verdict, isCurrent())
    } catch (error) {
      logger.error({ error, topic, partition }, 'the client did not take the end of a batch')
      if (this.#paused.isBusy(run)) this.#paused.resume(run)
    } finally {
      this.#inFlight.release(run)
      // Whoever leaves waits for it.
      this.#running.end(run)
    }
  }

  async #roomBytes(): Promise<number> {
    const room = this.#inFlight.roomBytes
    if (room > 0 || this.#state !== 'running') return room
    // Not longer: whoever closes or joins again waits for what the client has under way.
    await within(this.#options.clock, roomMs, new Promise<void>((resolve) => this.#inFlight.onRelease(resolve)))
    return this.#inFlight.roomBytes
  }

  #goOn(): 'continue' | 'rejoin' {
    return this.#mustRejoin && this.#state === 'running' ? 'rejoin' : 'continue'
  }

  #conclude(run: RunningBatch, verdict: Verdict, isCurrent: boolean): void {
    const before = run.deliveries[0]?.offset
    const finished = run.conclude(verdict)
    if (isCurrent && before !== undefined && run.settled > before) run.fetched.advance(run.settled)
    if (this.#state !== 'running') return
    if (isCurrent && !finished && !run.signal.aborted && verdict.retryInMs > 0)
      this.#paused.rest(run, verdict.retryInMs)
    else if (this.#paused.isBusy(run)) this.#paused.resume(run)
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
    // The client gets its batches back, finished or not: only then can it leave the group, and others can take over.
    this.#giveUp()
  }

  #end(error: Error): void {
    if (this.#state === 'ended' || this.#state === 'leaving' || this.#state === 'stalled') return
    this.#state = 'ended'
    this.#quiet()
    this.#running.stopAll(error)
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
    this.#assignment = new Assignment(partitions, this.#options.nextGeneration())
    this.#mustRejoin = false
    this.#revoked = false
    this.#state = 'running'
    this.#tellRunning()
    this.#watch.start()
  }

  #answered(): void {
    this.#watch.answered()
    // The joining did not come about, if the client fetches or vouches for nothing that runs. Partitions that are all paused
    // would keep it from fetching, and so from joining again.
    if (this.#state === 'rejoining' && this.#running.size === 0) this.#paused.resumeAll()
  }

  #graceMs(): number {
    if (this.#running.size > 0) return Number.POSITIVE_INFINITY
    return this.#state === 'rejoining' ? this.#options.rebalanceTimeoutMs : 0
  }

  #tellRunning(): void {
    if (this.#state === 'running' && !this.#paused.hasUndecided)
      this.#options.tell({ state: 'running', partitions: this.#assignment.partitions })
  }

  #outOfRange(place: TopicPartition, committed: bigint): bigint {
    const offset = this.#committer.position(place) ?? committed
    this.#undecided.outOfRange({ ...place, offset })
    return offset
  }

  /** No timer of ours fires any more, but the heartbeats of what still runs. */
  #quiet(): void {
    this.#watch.stop()
    this.#paused.forget()
  }
}
