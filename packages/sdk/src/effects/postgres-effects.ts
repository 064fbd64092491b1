import { type Clock, systemClock } from '../core/clock.ts'
import type { Context } from '../core/context.ts'
import type { Handler } from '../core/dispatch.ts'
import type { Envelope } from '../core/envelope.ts'
import { HandlerDeadlineError, InvalidConfigurationError, SchemaNotMigratedError } from '../core/errors.ts'
import { eventKey } from '../core/event-key.ts'
import { memoryOf, remembersMs } from '../core/handler-options.ts'
import type { Queryable, QueryResult } from '../postgres/queryable.ts'
import type { Sql } from '../postgres/sql.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import type { EffectOptions, EffectStats, Effects, OnceKeeper } from './effects.ts'
import { idempotencyKey } from './idempotency-key.ts'

export interface EffectsOptions {
  /** The database of the inbox. */
  readonly sql: Sql
  readonly inbox: OnceKeeper<Tx>
  /** Longest time for a call, unless it has one of its own. Must be shorter than the consumer's. Milliseconds. @default 10000 */
  readonly deadlineMs?: number
  readonly clock?: Clock
}

/**
 * Creates effects over the table `evtkit_effects` in the connection's search path.
 *
 * @throws InvalidConfigurationError when a deadline is not a number of milliseconds above 0.
 */
export function createEffects(options: EffectsOptions): Effects<Tx> {
  mustBeDeadline(options.deadlineMs ?? defaultDeadlineMs)
  return new PostgresEffects(options)
}

const defaultDeadlineMs = 10_000

/** A result is kept in a box, since the database has no place for a bare null. */
interface Kept {
  readonly value: unknown
}

class PostgresEffects implements Effects<Tx> {
  readonly #options: EffectsOptions
  #called = 0
  #found = 0
  #muted = 0

  constructor(options: EffectsOptions) {
    this.#options = options
  }

  once<Type extends string, Data, Result>(options: EffectOptions<Type, Data, Result, Tx>): Handler<Type, Data> {
    const { name, deadlineMs = this.#options.deadlineMs ?? defaultDeadlineMs, call, record } = options
    if (name === '') throw new InvalidConfigurationError('a handler\'s name must not be empty, got ""')
    mustBeDeadline(deadlineMs)
    const memoryMs = memoryOf(this.#options.inbox.once(() => {}))
    const once: Handler<Type, Data> = async (event, context) => {
      const handler = name ?? event.eventType
      // By the identity that the inbox goes by, or an id in another spelling would be another call.
      const key = idempotencyKey(context.group, handler, eventKey(event.eventId))
      const kept = await this.#find(key)
      if (kept === undefined && context.delivery.replay?.muted === true) {
        this.#muted++
        return
      }
      if (kept !== undefined) this.#found++
      // Also the first time in the form in which it will be found: whoever records it sees no difference.
      const { value } = kept ?? boxed(await this.#call(call, event, context, key, deadlineMs), handler)
      const keep = this.#options.inbox.once<Type, Data>(
        async (fact, inside) => {
          await explained(
            inside.tx.query(keepResult, [key, context.group, handler, event.eventId, JSON.stringify({ value })]),
          )
          // Safe: it is what the call returned, as JSON gives it back, now or when it was kept.
          await record(fact, withResult(inside, value as Result))
        },
        { name: handler },
      )
      await keep(event, context)
    }
    return Object.assign(once, { [remembersMs]: memoryMs })
  }

  async prune(olderThanMs: number): Promise<number> {
    if (!(olderThanMs > 0)) throw new InvalidConfigurationError(`olderThanMs must be more than 0, got ${olderThanMs}`)
    let forgotten = 0
    for (;;) {
      const { rowCount } = await this.#options.sql.query(pruneSome, [olderThanMs, pruneAtOnce])
      forgotten += rowCount ?? 0
      if ((rowCount ?? 0) < pruneAtOnce) return forgotten
    }
  }

  stats(): EffectStats {
    return { called: this.#called, found: this.#found, muted: this.#muted }
  }

  async #find(key: string): Promise<Kept | undefined> {
    const sql: Queryable = this.#options.sql
    const { rows } = await explained(sql.query('select result from evtkit_effects where idempotency_key = $1', [key]))
    // Safe: only `keepResult` writes there.
    return rows[0]?.result as Kept | undefined
  }

  async #call<Type extends string, Data, Result>(
    call: EffectOptions<Type, Data, Result, Tx>['call'],
    event: Envelope<Type, Data>,
    context: Context,
    key: string,
    deadlineMs: number,
  ): Promise<Result> {
    this.#called++
    const controller = new AbortController()
    const overdue = (this.#options.clock ?? systemClock).after(deadlineMs, () =>
      controller.abort(
        new HandlerDeadlineError(
          `the call to the outside for ${event.eventType} ${event.eventId} did not answer within ${deadlineMs} ms; it is made again, under the same idempotency key`,
        ),
      ),
    )
    const passOn = () => controller.abort(context.signal.reason)
    context.signal.addEventListener('abort', passOn, { once: true })
    if (context.signal.aborted) passOn()
    try {
      const gone = new Promise<never>((_, reject) => {
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
      })
      controller.signal.throwIfAborted()
      return await Promise.race([call(event, withKey(context, key, controller.signal)), gone])
    } finally {
      overdue.cancel()
      context.signal.removeEventListener('abort', passOn)
    }
  }
}

function boxed(result: unknown, handler: string): Kept {
  try {
    return JSON.parse(JSON.stringify({ value: result ?? null }))
  } catch (cause) {
    throw new InvalidConfigurationError(
      `what the call of handler "${handler}" returned cannot be kept: ${cause instanceof Error ? cause.message : cause}. Return data that JSON can carry.`,
      { cause },
    )
  }
}

async function explained(statement: Promise<QueryResult>): Promise<QueryResult> {
  try {
    return await statement
  } catch (error) {
    if (sqlState(error) !== '42P01') throw error
    throw new SchemaNotMigratedError(
      'there is no table for the results of effects (evtkit_effects) in this database; run migrate(sql, [effectsMigrations]) before the consumer starts',
      { cause: error },
    )
  }
}

function mustBeDeadline(deadlineMs: number): void {
  if (!(deadlineMs > 0 && Number.isFinite(deadlineMs)))
    throw new InvalidConfigurationError(`deadlineMs must be a number of milliseconds above 0, got ${deadlineMs}`)
}

function withKey(context: Context, key: string, signal: AbortSignal) {
  return { delivery: context.delivery, group: context.group, idempotencyKey: key, signal }
}

/** The context is an object with getters that are computed on demand; it is extended, never copied. */
function withResult<Result>(
  context: Context & { readonly tx: Tx },
  result: Result,
): Context & { readonly tx: Tx; readonly result: Result } {
  return {
    get delivery() {
      return context.delivery
    },
    get group() {
      return context.group
    },
    get signal() {
      return context.signal
    },
    tx: context.tx,
    result,
  }
}

const keepResult = `insert into evtkit_effects (idempotency_key, consumer_group, handler, event_id, result)
values ($1::uuid, $2::text, $3::text, $4::text, $5::json) on conflict do nothing`

const pruneAtOnce = 10_000

const pruneSome = `delete from evtkit_effects where ctid = any(array(
  select ctid from evtkit_effects where recorded_at < now() - $1::float8 * interval '1 millisecond' limit $2
))`
