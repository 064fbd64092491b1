/** What the database's errors mean, decided once and from codes alone. */
import { DatabaseUnavailableError, isEvtError } from '../core/errors.ts'

/** read_only_sql_transaction: connected to a standby, as in the middle of a failover, or the server takes no writes. */
export const readOnlyState = '25006'

/** SQLSTATEs of a server that cannot serve at the moment, or has ended the connection. */
const unavailableStates = new Set([
  '57P01', // admin_shutdown: a restart, a failover, or somebody ended this session
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: starting up or recovering
  '57P05', // idle_session_timeout: the lease of a session ran out
  readOnlyState,
])

/** idle_in_transaction_session_timeout: the server ended a transaction, and the connection with it. */
const idleTransactionState = '25P03'

/** SQLSTATE classes that mean the same. */
const unavailableClasses = new Set([
  '08', // connection exceptions
  '53', // insufficient resources: too many connections, disk full, out of memory
  '58', // system errors outside PostgreSQL, such as I/O
])

/** SQLSTATEs by which the server gave up on a clash with another transaction: the same work may succeed at once. */
const conflictStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout or NOWAIT
])

/** The five-character SQLSTATE of an error, if it has one. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error) || isSystemError(error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}

/** An error of the operating system, whose codes can look like a SQLSTATE (`EPIPE`). */
function isSystemError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ('errno' in error || 'syscall' in error)
}

/** Whether an error is a clash with another transaction (deadlock, serialization failure, lock timeout). */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && conflictStates.has(state)
}

/** The error of a failed attempt to connect. What is wrong with the credentials or the database's name passes as it is. */
export function connectError(error: unknown, place: string): unknown {
  const state = sqlState(error)
  if (isEvtError(error) || (state !== undefined && !isUnavailable(state))) return error
  return new DatabaseUnavailableError(`cannot connect to ${place}: ${messageOf(error)}`, { cause: error })
}

/**
 * The error of a failed statement.
 *
 * @param lost what the connection ended with, if it has; an error without SQLSTATE means nothing else in that case.
 */
export function statementError(error: unknown, lost: { readonly error: unknown } | undefined, place: string): unknown {
  // The process was frozen, or the work waited for something else: this transaction's fault, not the database's.
  for (const cause of [error, lost?.error]) if (sqlState(cause) === idleTransactionState) return idleTooLong(cause)
  const state = sqlState(error)
  if (isEvtError(error) || (state === undefined ? lost === undefined && !isSystemError(error) : !isUnavailable(state)))
    return error
  const reason = lost !== undefined && state === undefined ? lost.error : error
  return new DatabaseUnavailableError(`${place} ended the connection or cannot serve: ${messageOf(reason)}`, {
    cause: error,
  })
}

function idleTooLong(cause: unknown): Error {
  const error = new Error(
    'the database ended this transaction: nothing was done in it for longer than idleInTransactionMs (the process was frozen, or the work waited for something else meanwhile). It was rolled back.',
    { cause },
  )
  return Object.assign(error, { code: idleTransactionState })
}

function isUnavailable(state: string): boolean {
  return unavailableStates.has(state) || unavailableClasses.has(state.slice(0, 2))
}

function messageOf(error: unknown): string {
  // Attempts on several addresses fail as one error without a message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
