import type { Handler } from '../core/dispatch.ts'

/** Remembers what was already done, so that an event that comes again has no second effect. */
export interface Inbox<Transaction> {
  /**
   * Wraps a handler so that what it writes with `tx` happens once per consumer group, handler name and event id:
   * the event is noted in the same transaction, and one that is noted already finishes without calling the handler.
   * Events published through an outbox in `tx` are part of it. Calls to the outside are not.
   * When the handler throws, or its signal is aborted, everything is rolled back and the event comes again.
   *
   * Events that arrive together share a transaction, with their handlers at once on one connection, when they are of
   * different keys: that is many times faster than a transaction for each. Should anything fail in it, it is rolled back and
   * each event is handled in a transaction of its own, so a handler may be called twice for one effect. What this asks of
   * a handler: inside such a transaction locks do not keep the others out, so rows that events of other keys change too
   * must be changed by one statement that also checks (`update … where on_hand >= $1`), never read first and written
   * later. A handler that cannot do so, or that waits for anything but the database, says `alone`.
   *
   * @example
   * consumer.on(OrderCreated, inbox.once(async (event, { tx }) => {
   *   await tx.query('update stock set reserved = reserved + 1 where sku = $1', [event.data.sku])
   * }))
   */
  once<Type extends string, Data>(
    handler: Handler<Type, Data, { readonly tx: Transaction }>,
    options?: OnceOptions,
  ): Handler<Type, Data>
  /**
   * Forgets what was handled longer ago than this. Milliseconds.
   *
   * @returns how many were forgotten.
   * @throws InvalidConfigurationError when an event of that age could still come again.
   */
  prune(olderThanMs?: number): Promise<number>
  stats(): InboxStats
}

export interface OnceOptions {
  /**
   * Identity of the handler, kept in the database: renaming it makes handled events count as new. @default the event's type
   */
  readonly name?: string
  /** Never shares a transaction with other events. @default false */
  readonly alone?: boolean
}

/** Counts since the inbox was created, in this process. */
export interface InboxStats {
  /** Events whose effects were committed. */
  readonly handled: number
  /** Events that came again and were finished without calling the handler. */
  readonly duplicates: number
  /** Transactions that several events could share and that were committed. */
  readonly groups: number
  /** Such transactions that were rolled back, after which each event was handled alone. */
  readonly groupsGivenUp: number
}

/** An event that came again after it had been handled. */
export interface Duplicate {
  readonly eventId: string
  readonly eventType: string
  readonly group: string
  readonly handler: string
}
