/**
 * The queues of one group's waiting keys, as the workers see them. A key is claimed until its `due_at`, by the database's
 * clock: whoever freezes loses it, and every statement after that finds that the claim is another's.
 */
import { randomUUID } from 'node:crypto'
import type { FailedAttempt } from '../core/failed-events.ts'
import type { RawMessage } from '../core/message.ts'
import type { Row } from '../postgres/queryable.ts'
import type { Sql } from '../postgres/sql.ts'
import { messageOf } from '../postgres/stored-message.ts'
import { explained } from './postgres-failed-record.ts'
import { attemptsJson, parseAttempts, storableCode, storableMessage, withAttempt } from './stored-attempts.ts'

/** A waiting key that this process has for itself for now. */
export interface ClaimedKey {
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  /** Proves that the claim is still ours. */
  readonly claim: string
}

/** The event at the head of a queue. */
export interface ParkedEvent {
  readonly id: string
  readonly isDead: boolean
  readonly message: RawMessage
  readonly partition: number
  readonly offset: bigint
  readonly attempts: readonly FailedAttempt[]
  readonly attemptCount: number
  /** Attempts since it was parked. */
  readonly retries: number
  /** Since it first failed; 0 when it has not yet. Milliseconds. */
  readonly ageMs: number
  /** How long it must still wait, as a redrive at a limited rate asks. Milliseconds. */
  readonly notBeforeMs: number
}

/** What is at the head of a key now; `held` is false once the claim is another's. */
export interface QueueHead {
  readonly held: boolean
  readonly head: ParkedEvent | undefined
}

export class ParkedQueue {
  readonly #sql: Sql
  readonly #group: string
  readonly #topics: readonly string[]
  readonly #leaseMs: number

  constructor(sql: Sql, of: { readonly group: string; readonly topics: readonly string[]; readonly leaseMs: number }) {
    this.#sql = sql
    this.#group = of.group
    this.#topics = of.topics
    this.#leaseMs = of.leaseMs
  }

  /** The keys of a partition that wait, and how many of their events. */
  async waiting(topic: string, partition: number): Promise<readonly (readonly [Buffer, string, number])[]> {
    const rows = await this.#query(listWaiting, [this.#group, topic, partition])
    // Safe: the column is bytea, and rows without a key are left out.
    return rows.map((row) => [row.key as Buffer, String(row.id), Number(row.events)] as const)
  }

  /**
   * Claims keys that are due, and tells when the next one will be.
   *
   * @param except ids of keys that this process has in its hands, whose claims may have run out.
   */
  async claim(
    limit: number,
    except: readonly string[],
  ): Promise<{ readonly keys: readonly ClaimedKey[]; readonly nextDueMs: number }> {
    const claim = randomUUID()
    const rows = await this.#query(claimDue, [this.#group, this.#topics, limit, claim, this.#leaseMs, except])
    return {
      keys: rows.filter((row) => row.id !== null).map((row) => claimedKey(row, claim)),
      nextDueMs: rows[0]?.next_due_ms == null ? Number.POSITIVE_INFINITY : Number(rows[0].next_due_ms),
    }
  }

  async head(key: ClaimedKey): Promise<QueueHead> {
    return this.#headAfter(readHead, [...this.#mine(key), null])
  }

  /** Makes a claim last longer; tells whether it is still ours. */
  async renew(key: ClaimedKey): Promise<boolean> {
    return (await this.#query(renewClaim, this.#mine(key))).length > 0
  }

  /** The head was handled: it leaves the queue, and with it the store, unless it had been a dead letter. */
  async handled(key: ClaimedKey, event: ParkedEvent): Promise<QueueHead> {
    return this.#headAfter(removeHead, [...this.#mine(key), event.id])
  }

  /** The head failed and is due again later, and the key with it. */
  async failed(key: ClaimedKey, event: ParkedEvent, attempt: FailedAttempt, dueInMs: number): Promise<boolean> {
    const values = [key.id, key.claim, dueInMs, event.id, ...attemptValues(event, attempt)]
    return (await this.#query(noteFailure, values)).length > 0
  }

  /** The head becomes a dead letter, and its key waits until somebody decides. */
  async stopped(key: ClaimedKey, event: ParkedEvent, attempt: FailedAttempt): Promise<boolean> {
    const values = [key.id, key.claim, event.id, ...attemptValues(event, attempt)]
    return (await this.#query(stopKey, values)).length > 0
  }

  /** The head becomes a dead letter and leaves its queue. */
  async skipped(key: ClaimedKey, event: ParkedEvent, attempt: FailedAttempt): Promise<QueueHead> {
    return this.#headAfter(skipHead, [...this.#mine(key), event.id, ...attemptValues(event, attempt)])
  }

  /** A dead letter was found at the head: the key waits for somebody to decide about it. */
  async stopAtDead(key: ClaimedKey): Promise<void> {
    await this.#query(stopClaimed, [key.id, key.claim])
  }

  /** Gives a claim back. */
  async release(key: ClaimedKey, dueInMs: number): Promise<void> {
    await this.#query(releaseKey, [key.id, key.claim, dueInMs])
  }

  /** Reopens a key whose queue is empty; false when it is not, or the claim is another's. */
  reopen(key: ClaimedKey): Promise<boolean> {
    return explained(
      this.#sql.transaction(async (tx) => {
        // In two statements: the second looks for events only once the lock is ours, and nobody can append any more.
        const { rowCount: mine } = await tx.query(lockKey, [key.id, key.claim])
        if (mine === 0) return false
        const { rowCount } = await tx.query(deleteEmptyKey, [key.id])
        return rowCount === 1
      }),
    )
  }

  async countOfKey(id: string): Promise<number> {
    return Number((await this.#query(countKey, [id]))[0]?.events ?? 0)
  }

  /** How many events wait in the whole group. */
  async countAll(): Promise<number> {
    return Number((await this.#query(countGroup, [this.#group]))[0]?.events ?? 0)
  }

  /** Which of these keys have no row any more. */
  async gone(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#query(stillThere, [ids])
    const there = new Set(rows.map((row) => String(row.id)))
    return new Set(ids.filter((id) => !there.has(id)))
  }

  /**
   * Lets stopped keys go on whose head is no dead letter. There are none, unless somebody redrove an event of a key in the very
   * moment in which another one stopped it.
   */
  async heal(): Promise<void> {
    await this.#query(goOn, [this.#group])
  }

  /** Leaves a sign that somebody of this group works on its waiting keys. */
  async sign(): Promise<void> {
    await this.#query(signOn, [this.#group])
  }

  async #headAfter(statement: string, values: readonly unknown[]): Promise<QueueHead> {
    const [row] = await this.#query(statement, values)
    return {
      held: Number(row?.held ?? 0) > 0,
      head: row === undefined || row.id === null ? undefined : parkedEvent(row),
    }
  }

  #mine(key: ClaimedKey): readonly unknown[] {
    return [key.id, key.claim, this.#leaseMs]
  }

  async #query(statement: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await explained(this.#sql.query(statement, values))).rows
  }
}

function claimedKey(row: Row, claim: string): ClaimedKey {
  return {
    id: String(row.id),
    topic: String(row.topic),
    partition: Number(row.partition),
    // Safe: the column is bytea.
    key: row.key as Buffer | null,
    claim,
  }
}

function parkedEvent(row: Row): ParkedEvent {
  return {
    id: String(row.id),
    isDead: row.state === 'dead',
    message: messageOf(row),
    partition: Number(row.partition),
    offset: BigInt(String(row.record_offset)),
    attempts: parseAttempts(row.attempts),
    attemptCount: Number(row.attempt_count),
    retries: Number(row.retries),
    ageMs: Number(row.age_ms ?? 0),
    notBeforeMs: Number(row.not_before_ms ?? 0),
  }
}

function attemptValues(event: ParkedEvent, attempt: FailedAttempt): readonly unknown[] {
  return [
    attemptsJson(withAttempt(event.attempts, attempt)),
    storableCode(attempt.code),
    storableMessage(attempt.message),
  ]
}

const inMs = (parameter: string) => `now() + ${parameter}::float8 * interval '1 millisecond'`

const msUntil = (time: string) => `(extract(epoch from ${time} - now()) * 1000)::float8`

const listWaiting = `select k.id, k.key, count(e.id)::int4 as events
from evtkit_waiting_keys k left join evtkit_failed_events e on e.waiting_key = k.id
where k.consumer_group = $1::text and k.topic = $2::text and k.partition = $3::int4 and k.key is not null
group by k.id`

// Skipping what others have locked, but not what an append has: its lock lets this one in.
const claimDue = `with due as (
  select id from evtkit_waiting_keys
  where consumer_group = $1::text and state = 'retrying' and due_at <= now() and topic = any($2::text[])
    and id <> all($6::bigint[])
  order by due_at limit $3::int4 for no key update skip locked
), claimed as (
  update evtkit_waiting_keys k set claim = $4::uuid, due_at = ${inMs('$5')}
  from due where k.id = due.id
  returning k.id, k.topic, k.partition, k.key
)
select claimed.*, next.due_ms as next_due_ms from (
  select ${msUntil('min(due_at)')} as due_ms from evtkit_waiting_keys
  where consumer_group = $1::text and state = 'retrying' and due_at > now() and topic = any($2::text[])
) next left join claimed on true`

/** Renews the claim; without a row it is another's. */
const mine = `mine as (
  update evtkit_waiting_keys set due_at = ${inMs('$3')} where id = $1::bigint and claim = $2::uuid returning id
)`

// The rest of the statement sees the rows as they were before it, so the event that leaves is left out by its id.
const nextHead = (
  id: string,
) => `select (select count(*) from mine)::int4 as held, head.* from (select) one left join lateral (
  select e.id, e.state, e.topic, e.partition, e.record_offset, e.key, e.value, e.headers, e.timestamp_ms, e.attempts,
    e.attempt_count, e.retries, (extract(epoch from now() - e.first_failed) * 1000)::float8 as age_ms,
    greatest(0, ${msUntil('e.not_before')}) as not_before_ms
  from evtkit_failed_events e join mine on e.waiting_key = mine.id
  where e.id is distinct from ${id}::bigint
  order by e.position limit 1
) head on true`

const readHead = `with ${mine} ${nextHead('$4')}`

const renewClaim = `with ${mine} select id from mine`

const removeHead = `with ${mine}, done as (
  delete from evtkit_failed_events e using mine
  where e.id = $4::bigint and e.waiting_key = mine.id and e.redrives = 0
), kept as (
  update evtkit_failed_events e
  set state = 'redriven', waiting_key = null, ended_at = now(), not_before = null, revision = revision + 1
  from mine where e.id = $4::bigint and e.waiting_key = mine.id and e.redrives > 0
) ${nextHead('$4')}`

const oneMoreAttempt = (from: number) => `attempts = $${from}::jsonb, attempt_count = e.attempt_count + 1,
  retries = e.retries + 1, error_code = $${from + 1}::text, error_message = $${from + 2}::text, last_failed = now(),
  first_failed = coalesce(e.first_failed, now()), not_before = null,
  revision = e.revision + 1`

const noteFailure = `with mine as (
  update evtkit_waiting_keys set claim = null, due_at = ${inMs('$3')}
  where id = $1::bigint and claim = $2::uuid returning id
)
update evtkit_failed_events e set ${oneMoreAttempt(5)}
from mine where e.id = $4::bigint and e.waiting_key = mine.id returning e.id`

const stopKey = `with mine as (
  update evtkit_waiting_keys set claim = null, state = 'stopped'
  where id = $1::bigint and claim = $2::uuid returning id
)
update evtkit_failed_events e set state = 'dead', after_giving_up = 'stop', ${oneMoreAttempt(4)}
from mine where e.id = $3::bigint and e.waiting_key = mine.id returning e.id`

const skipHead = `with ${mine}, skipped as (
  update evtkit_failed_events e
  set state = 'dead', after_giving_up = 'skip', waiting_key = null, ${oneMoreAttempt(5)}
  from mine where e.id = $4::bigint and e.waiting_key = mine.id
) ${nextHead('$4')}`

const stopClaimed = `update evtkit_waiting_keys set claim = null, state = 'stopped'
where id = $1::bigint and claim = $2::uuid`

const releaseKey = `update evtkit_waiting_keys set claim = null, due_at = ${inMs('$3')}
where id = $1::bigint and claim = $2::uuid`

const lockKey = 'select id from evtkit_waiting_keys where id = $1::bigint and claim = $2::uuid for update'

const deleteEmptyKey = `delete from evtkit_waiting_keys k where k.id = $1::bigint
and not exists (select from evtkit_failed_events e where e.waiting_key = k.id)`

const countKey = 'select count(*)::int4 as events from evtkit_failed_events where waiting_key = $1::bigint'

const countGroup = `select count(*)::int4 as events from evtkit_failed_events e
join evtkit_waiting_keys k on e.waiting_key = k.id where k.consumer_group = $1::text`

const stillThere = 'select id from evtkit_waiting_keys where id = any($1::bigint[])'

const goOn = `update evtkit_waiting_keys k set state = 'retrying', due_at = now(), claim = null
where k.consumer_group = $1::text and k.state = 'stopped' and (
  select e.state from evtkit_failed_events e where e.waiting_key = k.id order by e.position limit 1
) is distinct from 'dead'`

const signOn = `insert into evtkit_parking_groups (consumer_group, seen_at) values ($1::text, now())
on conflict (consumer_group) do update set seen_at = now()`
