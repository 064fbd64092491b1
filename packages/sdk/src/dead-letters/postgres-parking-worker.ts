import { type Clock, pause } from '../core/clock.ts'
import type { FailedEventsHost, RetryOutcome } from '../core/failed-events.ts'
import { failpoint } from '../core/failpoint.ts'
import type { ParkingSchedule } from './parking-schedule.ts'
import type { ClaimedKey, ParkedEvent, ParkedQueue, QueueHead } from './postgres-parked-queue.ts'

export interface ParkingWorkerOptions {
  readonly host: FailedEventsHost
  readonly queue: ParkedQueue
  readonly schedule: ParkingSchedule
  /** Keys worked on at once. */
  readonly concurrency: number
  /** Longest time between two looks for keys that are due. Milliseconds. */
  readonly pollMs: number
  readonly leaseMs: number
  /** Told of a key that was reopened here. */
  reopened(key: ClaimedKey): void
  /** Called now and then while the database answers. */
  tidy(): Promise<void>
}

/** How long one key is drained before the others get a turn. Milliseconds. */
const turnMs = 2000

const tidyMs = 10_000

const shortestPostponeMs = 50

const longestOutageWaitMs = 10_000

/** Hands the heads of waiting keys over again when they are due, and drains their queues. */
export class ParkingWorker {
  readonly #options: ParkingWorkerOptions
  readonly #clock: Clock
  readonly #closing = new AbortController()
  /** The work under way, by the id of its key. */
  readonly #drains = new Map<string, Promise<void>>()
  #nap = new AbortController()
  #rung = false
  #loop: Promise<void> | undefined

  constructor(options: ParkingWorkerOptions) {
    this.#options = options
    this.#clock = options.host.clock
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Looks again in `ms` milliseconds at the latest. */
  nudge(ms = 0): void {
    if (ms >= this.#options.pollMs) return
    this.#rung = true
    this.#nap.abort()
  }

  /** Starts nothing more; resolves when what runs has ended, or after the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing.abort()
    this.#nap.abort()
    const over = new AbortController()
    await Promise.race([
      Promise.allSettled([this.#loop, ...this.#drains.values()]),
      pause(this.#clock, deadlineMs, over.signal),
    ])
    over.abort()
  }

  async #run(): Promise<void> {
    let failures = 0
    let tidyAt = this.#clock.monotonic()
    while (!this.#closing.signal.aborted) {
      let waitMs: number
      try {
        if (this.#clock.monotonic() >= tidyAt) {
          await this.#options.tidy()
          tidyAt = this.#clock.monotonic() + tidyMs
        }
        waitMs = await this.#look()
        if (failures > 0) this.#log('info', {}, 'parked events are tried again: their store answers')
        failures = 0
      } catch (error) {
        failures++
        waitMs = Math.min(longestOutageWaitMs, this.#options.pollMs * 2 ** Math.min(failures - 1, 10))
        // Once is enough: an outage of hours would fill the log with it.
        if (failures === 1)
          this.#log('warn', { error }, `parked events wait: their store does not answer: ${reason(error)}`)
      }
      await this.#sleep(waitMs)
    }
  }

  /** Starts work on keys that are due; resolves with how long to wait before the next look. */
  async #look(): Promise<number> {
    const { queue, concurrency, pollMs } = this.#options
    const free = concurrency - this.#drains.size
    if (free === 0) return pollMs
    const { keys, nextDueMs } = await queue.claim(free, [...this.#drains.keys()])
    await failpoint('parking.claimed')
    for (const key of keys) this.#start(key)
    // A full hand may have left others that are due; the drain that ends first rings for them.
    return Math.max(1, Math.min(pollMs, nextDueMs))
  }

  #start(key: ClaimedKey): void {
    const drain = this.#drain(key)
      .catch((error: unknown) =>
        this.#log(
          'warn',
          { ...place(key), error },
          `work on a waiting key was broken off, and goes on after its lease: ${reason(error)}`,
        ),
      )
      .finally(() => {
        this.#drains.delete(key.id)
        this.nudge()
      })
    this.#drains.set(key.id, drain)
  }

  async #drain(key: ClaimedKey): Promise<void> {
    const { queue } = this.#options
    const startedAt = this.#clock.monotonic()
    let next = await queue.head(key)
    for (;;) {
      const { held, head } = next
      if (!held) return this.#lost(key)
      if (head === undefined) {
        if (await queue.reopen(key)) return this.#reopened(key)
        // An event came in between, or the claim is another's.
        next = await queue.head(key)
        continue
      }
      if (head.isDead) return queue.stopAtDead(key)
      if (head.notBeforeMs > 0) return queue.release(key, head.notBeforeMs)
      const isOver = this.#clock.monotonic() - startedAt >= turnMs
      if (this.#closing.signal.aborted || isOver) return queue.release(key, 0)
      const outcome = await this.#hand(key, head)
      const after = await this.#settle(key, head, outcome)
      if (after === undefined) return
      next = after
    }
  }

  /** What comes next of the key; `undefined` when the work on it is over for now. */
  async #settle(key: ClaimedKey, head: ParkedEvent, outcome: RetryOutcome): Promise<QueueHead | undefined> {
    const { queue, schedule } = this.#options
    if (outcome.result === 'handled') {
      await failpoint('parking.handled')
      const next = await queue.handled(key, head)
      await failpoint('parking.finished')
      return next
    }
    if (outcome.result === 'postponed') {
      // Never at once: what postpones this event is likely to postpone it again.
      await queue.release(key, Math.max(shortestPostponeMs, outcome.retryInMs))
      return undefined
    }
    const { attempt, final, afterGivingUp } = outcome
    const retries = head.retries + 1
    const about = { ...place(key), offset: head.offset, attempts: head.attemptCount + 1, code: attempt.code }
    if (!final && !schedule.isOver(retries, head.ageMs)) {
      const dueInMs = schedule.waitMs(retries)
      if (!(await queue.failed(key, head, attempt, dueInMs))) return this.#lost(key)
      this.#log(
        'warn',
        { ...about, retryInMs: Math.round(dueInMs) },
        `a parked event failed again, and its key waits: ${attempt.message}`,
      )
      return undefined
    }
    // A record without a key has no successors that could wait for it.
    if (afterGivingUp === 'stop' && key.key !== null) {
      if (!(await queue.stopped(key, head, attempt))) return this.#lost(key)
      await failpoint('deadLetters.stored')
      this.#log(
        'error',
        about,
        `an event was given up, and its key waits until somebody decides (redrive or discard it): ${attempt.message}`,
      )
      return undefined
    }
    const next = await queue.skipped(key, head, attempt)
    await failpoint('deadLetters.stored')
    if (next.held)
      this.#log('error', about, `an event was given up, and its key goes on without it: ${attempt.message}`)
    return next
  }

  /** Runs an event; meanwhile the claim is renewed, since it may have to wait for one of the consumer's slots. */
  async #hand(key: ClaimedKey, head: ParkedEvent): Promise<RetryOutcome> {
    const { host, queue, leaseMs } = this.#options
    const arm = () =>
      this.#clock.after(leaseMs / 3, () => {
        timer = arm()
        // What it cannot renew it finds lost at the end.
        queue.renew(key).catch(() => {})
      })
    let timer = arm()
    try {
      return await host.run({
        message: head.message,
        partition: head.partition,
        offset: head.offset,
        group: host.group,
        attempt: head.attemptCount + 1,
        replay: null,
      })
    } finally {
      timer.cancel()
    }
  }

  #reopened(key: ClaimedKey): void {
    this.#options.reopened(key)
    this.#log('info', place(key), 'a key that waited is open again')
  }

  #lost(key: ClaimedKey): undefined {
    this.#log(
      'warn',
      place(key),
      'work on a waiting key was broken off: its lease ran out, or somebody changed its events; whoever claims it next goes on, and the inbox recognises what was handled',
    )
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#rung || this.#closing.signal.aborted) {
      this.#rung = false
      return
    }
    this.#nap = new AbortController()
    await pause(this.#clock, ms, this.#nap.signal)
    this.#rung = false
  }

  #log(level: 'info' | 'warn' | 'error', fields: object, message: string): void {
    this.#options.host.logger[level]({ group: this.#options.host.group, ...fields }, message)
  }
}

function place({ topic, partition }: ClaimedKey) {
  return { topic, partition }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
