import { NotATransactionError } from '../core/errors.ts'
import type { Merge } from './merged-command.ts'
import type { Queryable } from './queryable.ts'

/** Marks an open transaction. */
export const inTransaction: unique symbol = Symbol.for('evtkit.in-transaction')

/** An open transaction: everything done with it is committed together or not at all. */
export interface Tx extends Queryable {
  readonly [inTransaction]: true
  /**
   * Adds a statement whose result nobody needs: it leaves together with the next statement, or with the commit, and so
   * costs no round trip of its own. When it fails, the transaction fails with that error.
   *
   * @param explain turns the database's error into one that says more.
   * @param merge where given, statements enqueued with the same one, directly after each other, leave as the one statement
   * that it makes of their values.
   */
  enqueue(
    text: string,
    values?: readonly unknown[],
    explain?: (error: unknown) => unknown,
    merge?: Merge,
  ): Promise<void>
  /** Calls back once the commit was acknowledged; never after a rollback. The callback must not throw. */
  onCommit(callback: () => void): void
}

/** Tells whether a value is a transaction, whichever copy of the package made it. */
export function isTransaction(value: unknown): value is Tx {
  return typeof value === 'object' && value !== null && inTransaction in value
}

/** @throws NotATransactionError for anything but a transaction, with what came and what to pass. */
export function mustBeTransaction(value: unknown, caller: string): asserts value is Tx {
  if (isTransaction(value)) return
  throw new NotATransactionError(
    `${caller} expected an open transaction, got ${describe(value)}. ` +
      'Pass the `tx` of `sql.transaction(async (tx) => …)` or of an inbox handler; ' +
      'for a `pg` client of your own, pass `transactionOf(client)` after its BEGIN. Outside a transaction the row and the event could not be kept together.',
  )
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  if ('transaction' in value && 'session' in value) return 'a database (Sql), which has no transaction open'
  if ('totalCount' in value && 'connect' in value) return 'a connection pool'
  if ('getTransactionStatus' in value) return 'a bare pg client'
  return `an object (${value.constructor?.name ?? 'no class'})`
}
