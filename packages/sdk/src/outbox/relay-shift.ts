import { failpoint } from '../core/failpoint.ts'
import type { Alarm } from './alarm.ts'
import type { HeldKeys } from './held-keys.ts'
import type { OutboxRow } from './outbox-row.ts'
import type { AsideSummary, Claim, RelaySession } from './relay-session.ts'
import type { RelaySettings } from './relay-settings.ts'
import { type SendOutcome, sortOutcome } from './send-outcome.ts'

/** After the last row, polling stays quick for this long. Milliseconds. */
const busyForMs = 200

/** On a connection that everyone shares, polling is only the safety net behind the nudge. Milliseconds. */
const sharedPollMs = 1000

/** More held keys than this are an outage, not a few refused rows: everything waits instead of being tried key by key. */
const maxHeldKeys = 1000

/** What a shift tells the relay it works for. */
export interface ShiftReport {
  readonly alarm: Alarm
  readonly held: HeldKeys
  /** Ends the shift once what is under way is finished. */
  readonly closing: AbortSignal
  /** Ends it at once. */
  readonly abandoned: AbortSignal
  /** The database answered a claim. */
  claimed(rows: number, buckets: number): void
  removed(rows: number): void
  /** What is set aside, whichever relay did it. */
  aside(summary: AsideSummary): void
  /** Nothing could be sent; resolves when it is time to try again. */
  outage(error: unknown): Promise<void>
}

/**
 * A relay at work during one session: claims, sends, removes, with the next rows claimed while a batch is being sent.
 * One batch is in flight at a time, or the order of a key would be lost by the first failure.
 */
export class RelayShift {
  readonly #session: RelaySession
  readonly #settings: RelaySettings
  readonly #report: ShiftReport
  readonly #stop: AbortSignal
  #balanceAt = 0
  #busyUntil = 0
  #pollMs: number
  #buckets = 0
  #ahead: Promise<Claim> | undefined
  /** Keys that failed in the last batch: rows claimed ahead of that must not pass them. */
  #stopped: ReadonlySet<number> = new Set()
  /** Topics that were refused in it, likewise. */
  #refused: ReadonlySet<string> = new Set()
  #removing: Promise<void> = Promise.resolve()

  constructor(session: RelaySession, settings: RelaySettings, report: ShiftReport) {
    this.#session = session
    this.#settings = settings
    this.#report = report
    this.#stop = AbortSignal.any([session.lost, report.abandoned])
    this.#pollMs = settings.busyPollMs
  }

  async run(): Promise<void> {
    // Meanwhile others may have sent or moved what waited.
    this.#report.held.clear()
    while (!this.#report.closing.aborted) {
      if (this.#now() >= this.#balanceAt) await this.#balance()
      const { rows, more } = await this.#next()
      if (rows.length > 0) await this.#relay(rows, more)
      // Whoever shares the connection rings for every row, so that a look which can only find nothing is saved.
      if (rows.length === 0 || (this.#session.shared && !more)) await this.#idle()
    }
    await this.#quiesce()
  }

  /** Takes part in the sharing of the buckets, with nothing under way that could belong to one that is given up. */
  async #balance(): Promise<void> {
    await this.#quiesce()
    const buckets = await this.#session.balance()
    // It takes buckets or gives them up, never both, so the count tells. What waits in one that is gone is not ours to know.
    if (buckets !== this.#buckets) this.#report.held.clear()
    this.#buckets = buckets
    this.#report.aside(await this.#session.sweep())
    this.#balanceAt = this.#now() + this.#settings.balanceMs
  }

  async #quiesce(): Promise<void> {
    await this.#ahead
    this.#ahead = undefined
    this.#stopped = new Set()
    this.#refused = new Set()
    await this.#removing
  }

  async #next(): Promise<Claim> {
    const ahead = this.#ahead
    this.#ahead = undefined
    const stopped = this.#stopped
    const refused = this.#refused
    this.#stopped = new Set()
    this.#refused = new Set()
    const claim = (await ahead) ?? (await this.#claim([]))
    this.#report.claimed(claim.rows.length, this.#buckets)
    if (stopped.size === 0) return claim
    const rows = claim.rows.filter((row) => !stopped.has(row.keyHash) && !refused.has(row.message.topic))
    return rows.length > 0 ? { rows, more: claim.more } : this.#claim([])
  }

  async #claim(except: readonly string[]): Promise<Claim> {
    const { held } = this.#report
    const limits = { limit: this.#settings.batchSize, maxBytes: this.#settings.batchBytes }
    if (!held.any) return this.#session.claim({ ...limits, except, exceptKeys: [], exceptTopics: [] })
    const now = this.#now()
    const [exceptKeys, exceptTopics] = [held.waiting(now), held.waitingTopics(now)]
    const claim = await this.#session.claim({ ...limits, except, exceptKeys, exceptTopics })
    if (except.length === 0 && !claim.more) held.forgetMissing(claim.rows, now)
    return claim
  }

  async #relay(rows: readonly OutboxRow[], more: boolean): Promise<void> {
    await failpoint('relay.claimed')
    this.#busyUntil = this.#now() + busyForMs
    this.#pollMs = this.#settings.busyPollMs
    // A short batch was all there was; looking for more at once would mostly find nothing.
    if ((more || rows.length * 2 >= this.#settings.batchSize) && !this.#session.shared) {
      this.#ahead = this.#claim(rows.map((row) => row.id))
      this.#ahead.catch(() => {})
    }
    const said = await this.#send(rows)
    await failpoint('relay.sent')
    await this.#settle(sortOutcome(rows, said))
  }

  /** What the sender said: `undefined`, or its error. Throws when the shift ends before it said anything. */
  async #send(rows: readonly OutboxRow[]): Promise<unknown> {
    this.#stop.throwIfAborted()
    return new Promise((resolve, reject) => {
      const stop = () => reject(this.#stop.reason)
      this.#stop.addEventListener('abort', stop, { once: true })
      const said = (error?: unknown) => {
        this.#stop.removeEventListener('abort', stop)
        resolve(error)
      }
      this.#settings.sender.send(rows.map((row) => row.message)).then(() => said(), said)
    })
  }

  async #settle({ done, poison, held }: SendOutcome): Promise<void> {
    await this.#removing
    if (done.length > 0) {
      this.#removing = this.#remove(done)
      this.#removing.catch(() => {})
      if (this.#session.shared) await this.#removing
    }
    if (this.#report.held.any)
      for (const row of [...done, ...poison.map((failed) => failed.row)]) this.#report.held.release(row)
    if (poison.length === 0 && held.length === 0) return
    this.#stopped = new Set([...poison, ...held].map(({ row }) => row.keyHash))
    if (poison.length > 0) await this.#setAside(poison)
    if (held.length > 0) await this.#hold(held, done.length + poison.length === 0)
  }

  async #remove(done: readonly OutboxRow[]): Promise<void> {
    const removed = await this.#session.remove(done.map((row) => row.id))
    await failpoint('relay.deleted')
    this.#report.removed(removed)
    if (removed < done.length)
      this.#settings.logger.warn(
        { sent: done.length, removed },
        'rows of the outbox were gone before the relay could remove them; somebody else deletes from it',
      )
  }

  async #setAside(poison: SendOutcome['poison']): Promise<void> {
    await this.#session.setAside(poison)
    this.#report.aside(await this.#session.sweep())
    for (const { row, error } of poison)
      this.#settings.logger.error(
        { id: row.id, topic: row.message.topic, code: error.code, reason: error.message },
        'outbox row set aside: it can never be sent as it is, and later rows of its key wait behind it until it is retried or discarded with outboxSetAside(sql)',
      )
  }

  async #hold(held: SendOutcome['held'], nothingSent: boolean): Promise<void> {
    const outage = nothingSent && held.every(({ error }) => error.retryable)
    // In an outage, too: it may be one partition that is away, and whatever fills the batches must not keep the others waiting.
    if (!outage || this.#report.held.keys < maxHeldKeys) this.#holdBack(held)
    if (!outage && this.#report.held.keys <= maxHeldKeys) {
      const [first] = held
      this.#settings.logger.warn(
        { keys: held.length, topic: first?.row.message.topic, code: first?.error.code, reason: first?.error.message },
        'some outbox rows were not taken; their keys wait and are tried again',
      )
      return
    }
    await this.#quiesce()
    await this.#report.outage(held[0]?.error)
  }

  #holdBack(held: SendOutcome['held']): void {
    const now = this.#now()
    const refused = new Map<string, string>()
    // The broker refuses a topic, not a row: its other keys would be tried in vain, and everything behind them would wait.
    for (const { row, error } of held)
      if (error.code === 'EVT_BROKER_REFUSED') refused.set(row.message.topic, error.message)
      else this.#report.held.hold(row.keyHash, now, error.message)
    for (const [topic, reason] of refused) this.#report.held.holdTopic(topic, now, reason)
    this.#refused = new Set(refused.keys())
  }

  async #idle(): Promise<void> {
    await this.#removing
    const now = this.#now()
    this.#pollMs =
      now < this.#busyUntil ? this.#settings.busyPollMs : Math.min(this.#pollMs * 2, this.#settings.idlePollMs)
    const waitMs = this.#session.shared ? Math.max(sharedPollMs, this.#pollMs) : this.#pollMs
    const rung = await this.#report.alarm.sleep(Math.max(1, Math.min(waitMs, this.#balanceAt - now)))
    if (rung) this.#busyUntil = this.#now() + busyForMs
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}
