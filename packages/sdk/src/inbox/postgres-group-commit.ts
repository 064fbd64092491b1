import type { Clock } from '../core/clock.ts'
import { isEvtError } from '../core/errors.ts'
import type { Sql } from '../postgres/sql.ts'
import { isConflict } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import type { Handling, HandlingOutcome } from './handling.ts'
import { GroupAttempt, longestGroupMs, type Member } from './postgres-group-attempt.ts'
import { NeedsOwnTransactionError } from './postgres-shared-transaction.ts'

export interface GroupCommitOptions {
  readonly sql: Sql
  readonly clock: Clock
  /** Most handlings in one transaction. */
  readonly maxSize: number
  /** Handles one in a transaction of its own. */
  readonly alone: (handling: Handling<Tx>) => Promise<HandlingOutcome>
}

/** How long the group in flight is waited for, at least; more where groups usually take longer. Milliseconds. */
const leastPatienceMs = 50
/** How long a handler that was too slow for its group is kept out of groups. Milliseconds. */
const apartMs = 10_000

/**
 * Handlings that arrive while a transaction is open share the next one: one note for all, their handlers at once on one
 * connection, one commit.
 *
 * A group is a hope, not a promise: whatever goes wrong in it rolls it back, and each handling runs in a transaction of its
 * own, so that the bad one alone is bad. One group is in flight at a time and its waits for locks are short, because groups
 * that hold many rows and wait for each other would stand still together.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  #waiting: Member[] = []
  #draining = false
  /** The group in flight takes its time: nobody waits for it. */
  #impatient = false
  #size: number
  /** How long groups took lately; at first a guess that leaves time to connect and to plan. Milliseconds. */
  #usualMs = 50
  /** Handlers that were seen to need a transaction of their own, and until when that is believed. */
  readonly #unfit = new Map<string, number>()
  #groups = 0
  #givenUp = 0

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#size = Math.min(16, options.maxSize)
  }

  get groups(): number {
    return this.#groups
  }

  get givenUp(): number {
    return this.#givenUp
  }

  handle(handling: Handling<Tx>): Promise<HandlingOutcome> {
    if (this.#impatient || !handling.shares || this.#isUnfit(handling.note.handler))
      return this.#options.alone(handling)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ handling, resolve, reject, returned: undefined })
      if (this.#draining) return
      this.#draining = true
      // Behind the calls that come in the same turn, which are to share it.
      setImmediate(() => this.#drain())
    })
  }

  #isUnfit(handler: string): boolean {
    const until = this.#unfit.get(handler)
    if (until === undefined) return false
    if (this.#options.clock.monotonic() < until) return true
    this.#unfit.delete(handler)
    return false
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const members = this.#take()
        const overdue = this.#options.clock.after(this.#patienceMs, () => this.#losePatience())
        await this.#run(members)
        overdue.cancel()
        this.#impatient = false
      }
    } finally {
      this.#draining = false
    }
  }

  /** A slow database is slow alone too; only a group that is slow for itself is not waited for. */
  get #patienceMs(): number {
    return Math.min(longestGroupMs, Math.max(leastPatienceMs, 5 * this.#usualMs))
  }

  #losePatience(): void {
    this.#impatient = true
    for (const { handling, resolve } of this.#waiting.splice(0)) resolve(this.#options.alone(handling))
  }

  /** The longest waiting ones, of different keys; who must stay keeps their place. */
  #take(): Member[] {
    const members: Member[] = []
    const events = new Set<string>()
    const keys = new Set<string>()
    const left: Member[] = []
    for (const [at, member] of this.#waiting.entries()) {
      if (members.length >= this.#size) {
        this.#waiting = left.concat(this.#waiting.slice(at))
        return members
      }
      const { key, note } = member.handling
      // Two copies of one event are kept apart too, so that the second is recognised for what it is.
      if (events.has(note.eventKey) || (key !== null && keys.has(key))) {
        left.push(member)
        continue
      }
      events.add(note.eventKey)
      if (key !== null) keys.add(key)
      members.push(member)
    }
    this.#waiting = left
    return members
  }

  async #run(members: readonly Member[]): Promise<void> {
    const [only, second] = members
    if (only !== undefined && second === undefined) return this.#runAlone(only)
    const attempt = new GroupAttempt(this.#options, members)
    const begunAt = this.#options.clock.monotonic()
    try {
      const outcomes = await attempt.run()
      this.#usualMs += (this.#options.clock.monotonic() - begunAt - this.#usualMs) / 5
      this.#groups++
      this.#size = Math.min(this.#options.maxSize, this.#size * 2)
      for (const [i, { resolve }] of members.entries()) resolve(outcomes[i] ?? 'duplicate')
    } catch (error) {
      this.#givenUp++
      if (isConflict(error)) this.#size = Math.max(1, Math.floor(this.#size / 2))
      this.#learn(error, attempt)
      // The database is away and no handler said so: alone they would find nothing else.
      const hopeless = attempt.failed === undefined && isEvtError(error)
      for (const member of members) this.#giveUp(member, hopeless ? error : undefined)
    }
  }

  /** Waited for like a group, so that what arrives meanwhile shares the next one. */
  async #runAlone({ handling, resolve }: Member): Promise<void> {
    const outcome = this.#options.alone(handling)
    resolve(outcome)
    await outcome.catch(() => {})
  }

  #learn(error: unknown, { failed, slow }: GroupAttempt): void {
    if (slow !== undefined) this.#unfit.set(slow.handling.note.handler, this.#options.clock.monotonic() + apartMs)
    if (failed !== undefined && error instanceof NeedsOwnTransactionError)
      this.#unfit.set(failed.handling.note.handler, Number.POSITIVE_INFINITY)
  }

  /** Not waited for: it may wait for locks as long as it likes, and the next group goes on. */
  #giveUp({ handling, resolve, reject, returned }: Member, error: unknown): void {
    if (handling.signal.aborted || error !== undefined) {
      reject(handling.signal.aborted ? handling.signal.reason : error)
      return
    }
    if (returned === undefined) {
      resolve(this.#options.alone(handling))
      return
    }
    // A handler that ignores its signal is not waited for longer than its deadline.
    const aborted = new Promise<never>((_, abort) => {
      handling.signal.addEventListener('abort', () => abort(handling.signal.reason), { once: true })
    })
    resolve(Promise.race([returned, aborted]).then(() => this.#options.alone(handling)))
  }
}
