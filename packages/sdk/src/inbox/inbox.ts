import type { Handler } from '../core/dispatch.ts'

/** Remembers what was already done, so that an event that comes again has no second effect. */
export interface Inbox<Transaction> {
  /**
   * Wraps a handler so that what it writes with `tx` happens once per consumer group, handler name and event id:
   * the event is noted in the same transaction, and one that is noted already finishes without calling the handler.
   * Events published through an outbox in `tx` are part of it. Calls to the outside are not.
   * When the handler throws, or its signal is aborted, everything is rolled back and the event comes again.
   *
   * @param options.name identity of the handler, kept in the database: renaming it makes handled events count as new.
   * Defaults to the event's type.
   *
   * @example
   * consumer.on(OrderCreated, inbox.once(async (event, { tx }) => {
   *   await tx.query('update stock set reserved = reserved + 1 where sku = $1', [event.data.sku])
   * }))
   */
  once<Type extends string, Data>(
    handler: Handler<Type, Data, { readonly tx: Transaction }>,
    options?: { readonly name?: string },
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

/** Counts since the inbox was created, in this process. */
export interface InboxStats {
  /** Events whose effects were committed. */
  readonly handled: number
  /** Events that came again and were finished without calling the handler. */
  readonly duplicates: number
}

/** An event that came again after it had been handled. */
export interface Duplicate {
  readonly eventId: string
  readonly eventType: string
  readonly group: string
  readonly handler: string
}
