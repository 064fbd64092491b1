import type { FailedEventsHost, FailedEventsMember } from '../core/failed-events.ts'
import type { Sql } from '../postgres/sql.ts'
import type { Parking, ParkingLimits, ParkingRetry, ParkingStats } from './parking.ts'
import { mustBeCount, type ParkingSchedule, parkingLimits, parkingSchedule } from './parking-schedule.ts'
import { explained } from './postgres-failed-record.ts'
import { ParkingMember } from './postgres-parking-member.ts'

export interface ParkingOptions {
  readonly sql: Sql
  readonly retry?: ParkingRetry
  readonly limits?: ParkingLimits
  /** Waiting keys that each instance works on at once, in the consumer's own slots. @default 4 */
  readonly concurrency?: number
  /** How often each instance looks for keys that are due, at least. Milliseconds. @default 1000 */
  readonly pollMs?: number
  readonly random?: () => number
}

/**
 * Parks events that a handler could not handle in time, with all that is needed to keep the order of their key: the events
 * that follow on the key are stored behind it, their offsets move on, and other keys are not concerned. The head of
 * each key is tried again on a schedule that is kept in the database, by any instance of the group; once it is handled the
 * events behind it are handled in their order, and the key is open again. An event that is given up is a dead letter.
 *
 * Needs the tables of `deadLetterMigrations`. One parking may serve several consumers.
 *
 * @example
 * const consumer = createConsumer({
 *   source: broker,
 *   group: 'shipping',
 *   rejected: deadLetters.rejected,
 *   failed: createParking({ sql }),
 * })
 *
 * @throws InvalidConfigurationError when a number makes no sense.
 */
export function createParking(options: ParkingOptions): Parking {
  const { concurrency = 4, pollMs = 1000 } = options
  mustBeCount('concurrency', concurrency)
  mustBeCount('pollMs', pollMs)
  return new PostgresParking(options, { concurrency, pollMs })
}

class PostgresParking implements Parking {
  readonly spanMs: number
  readonly #sql: Sql
  readonly #schedule: ParkingSchedule
  readonly #limits: Required<ParkingLimits>
  readonly #pace: { readonly concurrency: number; readonly pollMs: number }

  constructor(options: ParkingOptions, pace: { readonly concurrency: number; readonly pollMs: number }) {
    this.#sql = options.sql
    this.#schedule = parkingSchedule(options.retry ?? {}, options.random ?? Math.random)
    this.#limits = parkingLimits(options.limits ?? {})
    this.#pace = pace
    this.spanMs = this.#schedule.spanMs
  }

  join(host: FailedEventsHost): FailedEventsMember {
    return new ParkingMember({ sql: this.#sql, host, schedule: this.#schedule, limits: this.#limits, ...this.#pace })
  }

  async stats(group: string): Promise<ParkingStats> {
    const [row] = (await explained(this.#sql.query(countStats, [group]))).rows
    return {
      parkedKeys: Number(row?.parked_keys ?? 0),
      parkedEvents: Number(row?.parked_events ?? 0),
      oldestMs: Number(row?.oldest_ms ?? 0),
      deadLetters: Number(row?.dead_letters ?? 0),
      stoppedKeys: Number(row?.stopped_keys ?? 0),
    }
  }
}

const countStats = `select keys.*, events.*, dead.* from (
  select count(*)::int4 as parked_keys, (count(*) filter (where state = 'stopped'))::int4 as stopped_keys,
    (coalesce(extract(epoch from now() - min(since)), 0) * 1000)::float8 as oldest_ms
  from evtkit_waiting_keys where consumer_group = $1::text
) keys, (
  select count(*)::int4 as parked_events from evtkit_failed_events e
  join evtkit_waiting_keys k on e.waiting_key = k.id where k.consumer_group = $1::text and e.state = 'parked'
) events, (
  select count(*)::int4 as dead_letters from evtkit_failed_events where consumer_group = $1::text and state = 'dead'
) dead`
