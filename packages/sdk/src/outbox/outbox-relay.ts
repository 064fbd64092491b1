import { backoffMs } from '../core/backoff.ts'
import { pause } from '../core/clock.ts'
import { CloseDeadlineError, ClosedError, isEvtError } from '../core/errors.ts'
import { Alarm } from './alarm.ts'
import { HeldKeys } from './held-keys.ts'
import type { RelayHealth } from './relay.ts'
import type { AsideSummary } from './relay-session.ts'
import type { RelaySettings } from './relay-settings.ts'
import { RelayShift, type ShiftReport } from './relay-shift.ts'

/** What an abandoned relay gets on top of a close's deadline to let go of its session. Milliseconds. */
const lastWordMs = 500

/** The life of a relay: one shift after the other, each in a session of its own, until it is closed. */
export class OutboxRelay {
  readonly #settings: RelaySettings
  readonly #alarm: Alarm
  readonly #held: HeldKeys
  readonly #closing = new AbortController()
  readonly #abandoned = new AbortController()
  #state: 'new' | 'connecting' | 'running' | 'unavailable' | 'closed' = 'new'
  #detail = 'not started'
  #running: Promise<void> | undefined
  #trouble: 'database' | 'broker' | undefined
  #attempts = 0
  #relayed = 0
  #buckets = 0
  #aside: AsideSummary = { rows: 0, waiting: 0, reason: '' }

  constructor(settings: RelaySettings) {
    this.#settings = settings
    this.#alarm = new Alarm(settings.clock)
    this.#held = new HeldKeys(settings.backoff, settings.random)
  }

  get relayed(): number {
    return this.#relayed
  }

  get buckets(): number {
    return this.#buckets
  }

  health(): RelayHealth {
    const held = [asideDetail(this.#aside), this.#held.detail].filter((detail) => detail !== '').join('; ')
    if (this.#state === 'running' && held !== '') return { ready: false, state: 'held', detail: held }
    return { ready: this.#state === 'running', state: this.#state, detail: this.#detail }
  }

  nudge(): void {
    this.#alarm.ring()
  }

  start(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(new ClosedError('the relay is closed; create a new one'))
    if (this.#running !== undefined) return Promise.resolve()
    this.#state = 'connecting'
    this.#detail = 'connecting'
    return new Promise((resolve, reject) => {
      this.#running = this.#run({ opened: resolve, refused: reject })
    })
  }

  async close(deadlineMs: number): Promise<void> {
    this.#closing.abort()
    this.#alarm.ring()
    const { clock } = this.#settings
    const timers = [clock.after(deadlineMs, () => this.#abandoned.abort(new ClosedError('the relay was closed')))]
    // Whoever waits for a new connection cannot be stopped; it is not waited for.
    const overdue = new Promise<void>((resolve) => {
      timers.push(clock.after(deadlineMs + lastWordMs, resolve))
    })
    await Promise.race([this.#running, overdue])
    for (const timer of timers) timer.cancel()
    this.#state = 'closed'
    this.#detail = 'closed'
    if (this.#abandoned.signal.aborted)
      throw new CloseDeadlineError(
        `the relay did not come to an end within ${deadlineMs} ms: its send was still under way, or the database did not answer; it was abandoned, and rows that are still in the outbox are sent again`,
      )
  }

  async #run(start: { opened(): void; refused(error: unknown): void }): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#settings.sessions.open((session) => {
          start.opened()
          return new RelayShift(session, this.#settings, this.#report()).run()
        }, this.#abandoned.signal)
      } catch (error) {
        // Only the first look is answered for by `start`; later somebody may be migrating at this moment.
        if (isEvtError(error) && error.code === 'EVT_SCHEMA_NOT_MIGRATED' && this.#state === 'connecting') {
          this.#state = 'closed'
          this.#detail = error.message
          this.#running = undefined
          return start.refused(error)
        }
        start.opened()
        if (!this.#closing.signal.aborted) await this.#unavailable('database', error, 'the outbox cannot be read')
      } finally {
        this.#buckets = 0
      }
    }
    start.opened()
  }

  #report(): ShiftReport {
    return {
      alarm: this.#alarm,
      held: this.#held,
      closing: this.#closing.signal,
      abandoned: this.#abandoned.signal,
      claimed: (rows, buckets) => {
        this.#buckets = buckets
        // A claim shows that the database is back, and with nothing to send there is nothing to complain about.
        if (this.#trouble !== 'broker' || (rows === 0 && !this.#held.any)) this.#recovered()
      },
      removed: (rows) => {
        this.#relayed += rows
        this.#recovered()
      },
      aside: (summary) => {
        this.#aside = summary
      },
      outage: (error) => this.#unavailable('broker', error, 'nothing could be sent'),
    }
  }

  #recovered(): void {
    if (this.#state === 'running') return
    if (this.#trouble !== undefined) this.#settings.logger.info({ attempts: this.#attempts }, 'the relay works again')
    this.#trouble = undefined
    this.#attempts = 0
    this.#state = 'running'
    this.#detail = ''
  }

  async #unavailable(trouble: 'database' | 'broker', thrown: unknown, what: string): Promise<void> {
    this.#trouble = trouble
    this.#attempts++
    const waitMs = backoffMs(this.#attempts, this.#settings.random, this.#settings.backoff)
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    this.#state = 'unavailable'
    this.#detail = `${what}: ${reason}`
    this.#settings.logger.warn(
      { attempt: this.#attempts, retryInMs: waitMs, reason },
      `relay: ${what}; nothing is lost or set aside, it is tried again`,
    )
    await pause(this.#settings.clock, waitMs, this.#closing.signal)
  }
}

function asideDetail({ rows, waiting, reason }: AsideSummary): string {
  if (rows === 0) return ''
  const [row, wait, them] = [rows === 1 ? 'row' : 'rows', waiting === 1 ? 'waits' : 'wait', rows === 1 ? 'it' : 'them']
  return `${rows} ${row} set aside (${reason}), ${waiting} ${wait} behind ${them}; see outboxSetAside(sql).list(), retry(id), discard(id)`
}
