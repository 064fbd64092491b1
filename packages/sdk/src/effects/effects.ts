import type { Context } from '../core/context.ts'
import type { Handler } from '../core/dispatch.ts'
import type { Envelope } from '../core/envelope.ts'

/** What a call to the outside gets besides the event. */
export interface EffectContext extends Context {
  /**
   * The same on every attempt for this event, group and handler, and for nothing else: pass it to the other side, which
   * recognises a repeat by it. A UUID.
   */
  readonly idempotencyKey: string
  /** Aborted at the call's deadline, at the handler's, and when the consumer closes. */
  readonly signal: AbortSignal
}

/** Whatever keeps a handler's work once: an inbox. */
export interface OnceKeeper<Transaction> {
  once<Type extends string, Data>(
    handler: Handler<Type, Data, { readonly tx: Transaction }>,
    options?: { readonly name?: string },
  ): Handler<Type, Data>
}

export interface EffectOptions<Type extends string, Data, Result, Transaction> {
  /** Identity of the handler, kept in the database for the inbox and for the result. @default the event's type */
  readonly name?: string
  /** Longest time for the call. Milliseconds. @default that of the effects */
  readonly deadlineMs?: number
  /**
   * The call to the outside, made before the transaction, at least once. Its result must be something that JSON gives back.
   * A refusal that is an answer (a declined card) is a result; what may pass (no connection) is thrown and tried again.
   */
  readonly call: (event: Envelope<Type, Data>, context: EffectContext) => Promise<Result>
  /** What follows from it: runs once, in the transaction that also keeps the result. */
  readonly record: (
    event: Envelope<Type, Data>,
    context: Context & { readonly tx: Transaction; readonly result: Result },
  ) => void | Promise<void>
}

/** Calls to the outside world, done once per event as far as that can be done, and remembered. */
export interface Effects<Transaction> {
  /**
   * A handler that calls the outside and then records what came of it. The result is kept in the transaction of `record`;
   * an event that comes again, live or in a replay, finds it there and the outside is not called. Between the call and the commit a crash
   * can happen, and the call is then made again, under the same idempotency key.
   *
   * In a replay whose effects are muted, an event without a kept result is passed over: neither function is called.
   *
   * @example
   * consumer.on(InventoryReserved, effects.once({
   *   call: (event, { idempotencyKey, signal }) => provider.charge(event.data.total, idempotencyKey, signal),
   *   record: async (event, { tx, result }) => {
   *     await tx.query('insert into payments (order_id, charge_id) values ($1, $2)', [event.data.orderId, result.chargeId])
   *   },
   * }))
   */
  once<Type extends string, Data, Result>(options: EffectOptions<Type, Data, Result, Transaction>): Handler<Type, Data>
  /**
   * Forgets results that are older. Keep them at least as long as the inbox remembers. Milliseconds.
   *
   * @returns how many were forgotten.
   */
  prune(olderThanMs: number): Promise<number>
  stats(): EffectStats
}

/** Counts since the start of this process. */
export interface EffectStats {
  /** Calls made to the outside, repeated ones too. */
  readonly called: number
  /** Events whose result was found instead. */
  readonly found: number
  /** Events passed over because a replay was muted. */
  readonly muted: number
}
