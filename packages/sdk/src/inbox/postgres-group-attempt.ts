import type { Clock } from '../core/clock.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Sql } from '../postgres/sql.ts'
import type { Tx } from '../postgres/tx.ts'
import type { Handling, HandlingOutcome } from './handling.ts'
import { noteAll } from './postgres-notes.ts'
import { SharedTransaction } from './postgres-shared-transaction.ts'

/** How long a statement of a group waits for a lock before the group is given up. Milliseconds. */
const lockTimeoutMs = 50
/** How long the handlers of a group may take before it is given up. Milliseconds. */
export const longestGroupMs = 500

/** One handling on its way through a group. */
export interface Member {
  readonly handling: Handling<Tx>
  readonly resolve: (outcome: HandlingOutcome | Promise<HandlingOutcome>) => void
  readonly reject: (error: unknown) => void
  /** Ends when its first call did; until then it must not run again. */
  returned: Promise<void> | undefined
}

/** A handler would have held up the rest of its group. Never leaves this room. */
export class TooSlowError extends Error {
  override readonly name = 'TooSlowError'
}

/** One transaction of a group. */
export class GroupAttempt {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #members: readonly Member[]
  readonly #listening: (() => void)[] = []
  /** Whose failure ended it; `undefined` when none of the handlers' did. */
  failed: Member | undefined
  /** Who held up the others, where that is plain. */
  slow: Member | undefined

  constructor({ sql, clock }: { readonly sql: Sql; readonly clock: Clock }, members: readonly Member[]) {
    this.#sql = sql
    this.#clock = clock
    this.#members = members
  }

  async run(): Promise<HandlingOutcome[]> {
    const end = new AbortController()
    try {
      const outcomes = await this.#sql.transaction((tx) => this.#work(tx, end), { signal: end.signal })
      await failpoint('inbox.committed')
      return outcomes
    } finally {
      for (const stop of this.#listening) stop()
    }
  }

  async #work(tx: Tx, end: AbortController): Promise<HandlingOutcome[]> {
    await tx.enqueue(`select set_config('lock_timeout', $1, true)`, [`${lockTimeoutMs}ms`])
    const isFresh = await noteAll(
      tx,
      this.#members.map(({ handling }) => handling.note),
    )
    await failpoint('inbox.noted')
    const outcomes: HandlingOutcome[] = []
    const running = new Set<Member>()
    const done: Promise<void>[] = []
    for (const member of this.#members) {
      const isNew = isFresh(member.handling.note)
      outcomes.push(isNew ? 'handled' : 'duplicate')
      if (!isNew) continue
      this.#listen(end, member)
      done.push(this.#call(member, tx, end, running))
    }
    const overdue = this.#clock.after(longestGroupMs, () => {
      const [one, another] = running
      // Of several that still run nobody can tell which one the others wait for.
      this.slow = another === undefined ? one : undefined
      end.abort(new TooSlowError(`a handler took longer than ${longestGroupMs} ms`))
    })
    try {
      await Promise.all(done)
    } finally {
      overdue.cancel()
    }
    await failpoint('inbox.handled')
    return outcomes
  }

  async #call(member: Member, tx: Tx, end: AbortController, running: Set<Member>): Promise<void> {
    const part = new SharedTransaction(tx)
    let returned: () => void = () => {}
    member.returned = new Promise((resolve) => {
      returned = resolve
    })
    running.add(member)
    try {
      await member.handling.work(part)
    } catch (error) {
      this.#fail(end, member, error)
      throw error
    } finally {
      part.end()
      running.delete(member)
      returned()
    }
  }

  /** From then on its being given up ends the whole; what was a duplicate has nothing to give up. */
  #listen(end: AbortController, member: Member): void {
    const { signal } = member.handling
    const abort = () => this.#fail(end, member, signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    this.#listening.push(() => signal.removeEventListener('abort', abort))
  }

  /** Only the first failure is one; the rest follows from it. */
  #fail(end: AbortController, member: Member, error: unknown): void {
    if (end.signal.aborted) return
    this.failed = member
    end.abort(error)
  }
}
