import type { FailedEvent, FailedEventsHost, FailedEventsMember } from '../core/failed-events.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Delivery } from '../core/message.ts'
import type { Sql } from '../postgres/sql.ts'
import type { ParkingLimits } from './parking.ts'
import type { ParkingSchedule } from './parking-schedule.ts'
import { buryAlone, parkBehind, parkFailed, stopAt } from './postgres-park.ts'
import { ParkedQueue } from './postgres-parked-queue.ts'
import { ParkingWorker } from './postgres-parking-worker.ts'
import { WaitingKeys } from './waiting-keys.ts'

export interface ParkingMemberOptions {
  readonly sql: Sql
  readonly host: FailedEventsHost
  readonly schedule: ParkingSchedule
  readonly limits: Required<ParkingLimits>
  readonly concurrency: number
  readonly pollMs: number
}

/** How long a count of the whole group is good for. Milliseconds. */
const recountMs = 1000

/** Parking for one consumer: what it takes over, and the work on what waits. */
export class ParkingMember implements FailedEventsMember {
  readonly #options: ParkingMemberOptions
  readonly #queue: ParkedQueue
  readonly #worker: ParkingWorker
  readonly #waiting = new WaitingKeys()
  /** The newest look at each partition's keys; an older one that ends later is out of date. */
  readonly #looks = new Map<string, symbol>()
  /** Events of the group: as counted last, and what was added here since. */
  #total = Number.POSITIVE_INFINITY
  /** How many were added here since the start: those added during a count may be missing in it. */
  #added = 0
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(options: ParkingMemberOptions) {
    const { sql, host, schedule, concurrency, pollMs } = options
    // Longer than one attempt can take, and renewed while it waits for its turn.
    const leaseMs = host.deadlineMs * 1.2 + 5000
    this.#options = options
    this.#queue = new ParkedQueue(sql, { group: host.group, topics: host.topics, leaseMs })
    this.#worker = new ParkingWorker({
      host,
      queue: this.#queue,
      schedule,
      concurrency,
      pollMs,
      leaseMs,
      reopened: ({ topic, partition, key, id }) => this.#waiting.reopened(topic, partition, key, id),
      tidy: () => this.#tidy(),
    })
    this.#worker.start()
  }

  async assigned(topic: string, partition: number): Promise<void> {
    const name = `${topic}/${partition}`
    const look = Symbol(name)
    this.#looks.set(name, look)
    const keys = await this.#queue.waiting(topic, partition)
    if (this.#looks.get(name) === look) this.#waiting.load(topic, partition, keys)
  }

  isBehind(delivery: Delivery): boolean {
    return this.#waiting.of(delivery) !== undefined
  }

  async follow(delivery: Delivery): Promise<'taken' | 'free' | 'full'> {
    const key = this.#waiting.of(delivery)
    if (key === undefined) return 'free'
    if (key.events >= this.#options.limits.maxPerKey) {
      key.events = await this.#queue.countOfKey(key.id)
      if (key.events >= this.#options.limits.maxPerKey) return 'full'
    }
    if (await this.#isFull()) return 'full'
    const id = await parkBehind(this.#options.sql, delivery)
    if (id === undefined) {
      this.#waiting.reopened(delivery.message.topic, delivery.partition, delivery.message.key, key.id)
      return 'free'
    }
    // It may have reopened and wait again, which is another row.
    if (id === key.id) key.events++
    else this.#waiting.add(delivery, id)
    this.#countOne()
    await failpoint('parking.followed')
    return 'taken'
  }

  async take(failed: FailedEvent): Promise<'taken' | 'full'> {
    const { sql, schedule, host } = this.#options
    const { delivery, final, afterGivingUp, attempts } = failed
    const { message, partition, offset } = delivery
    if (final && (afterGivingUp === 'skip' || message.key === null)) {
      await buryAlone(sql, failed)
      await failpoint('deadLetters.stored')
    } else {
      if (await this.#isFull()) return 'full'
      const dueInMs = schedule.waitMs(0)
      this.#waiting.add(delivery, final ? await stopAt(sql, failed) : await parkFailed(sql, failed, dueInMs))
      this.#countOne()
      await failpoint(final ? 'deadLetters.stored' : 'parking.took')
      if (!final) this.#worker.nudge(dueInMs)
    }
    const about = { topic: message.topic, partition, offset, group: host.group, code: attempts.at(-1)?.code }
    const what = !final
      ? 'an event was parked: it is tried again, its key waits, and the other keys go on'
      : afterGivingUp === 'stop' && message.key !== null
        ? 'an event was given up at once, and its key waits until somebody decides (redrive or discard it)'
        : 'an event was given up at once'
    host.logger[final ? 'error' : 'warn'](about, `${what}: ${attempts.at(-1)?.message ?? ''}`)
    return 'taken'
  }

  close(deadlineMs: number): Promise<void> {
    return this.#worker.close(deadlineMs)
  }

  #countOne(): void {
    this.#total++
    this.#added++
  }

  async #recount(): Promise<void> {
    const before = this.#added
    const counted = await this.#queue.countAll()
    this.#total = counted + this.#added - before
  }

  async #isFull(): Promise<boolean> {
    if (this.#total < this.#options.limits.maxTotal) return false
    const now = this.#options.host.clock.monotonic()
    if (now - this.#countedAt >= recountMs) {
      this.#countedAt = now
      await this.#recount()
    }
    return this.#total >= this.#options.limits.maxTotal
  }

  async #tidy(): Promise<void> {
    await this.#queue.sign()
    await this.#queue.heal()
    await this.#recount()
    const ids = this.#waiting.ids()
    if (ids.length > 0) this.#waiting.forget(await this.#queue.gone(ids))
  }
}
