import { type EvtError, isEvtError, type SendFailedError, SendTimeoutError } from '../core/errors.ts'
import type { OutboxRow } from './outbox-row.ts'
import type { FailedRow } from './relay-session.ts'

/** What is to become of the rows of a batch that was sent. */
export interface SendOutcome {
  /** Acknowledged, with everything before them of their key: to be deleted. */
  readonly done: readonly OutboxRow[]
  /** First row of its key that can never be sent as it is. */
  readonly poison: readonly FailedRow[]
  /** First row of its key that was not acknowledged and may be later. */
  readonly held: readonly FailedRow[]
}

/**
 * Sorts a batch by what its sender said. Of each key only the acknowledged rows before its first failure are done; those
 * after it were perhaps written too, and go again in order.
 */
export function sortOutcome(rows: readonly OutboxRow[], error: unknown): SendOutcome {
  if (error === undefined) return { done: rows, poison: [], held: [] }
  const done: OutboxRow[] = []
  const poison: FailedRow[] = []
  const held: FailedRow[] = []
  const stopped = new Set<number>()
  for (const [i, row] of rows.entries()) {
    if (stopped.has(row.keyHash)) continue
    const failure = failureOf(error, i)
    if (failure === undefined) {
      done.push(row)
      continue
    }
    stopped.add(row.keyHash)
    if (isPoison(failure)) poison.push({ row, error: failure })
    else held.push({ row, error: failure })
  }
  return { done, poison, held }
}

function failureOf(error: unknown, index: number): EvtError | undefined {
  // The brand is the same in every copy of the package, the class is not.
  if (isEvtError(error) && error.code === 'EVT_SEND_FAILED' && 'failures' in error)
    return (error as SendFailedError).failures.get(index)?.error
  if (isEvtError(error)) return error
  return new SendTimeoutError(`the sender failed without saying what was written: ${String(error)}`, { cause: error })
}

/**
 * Whether the row itself is at fault. A refusal of the broker (a missing authorization) or a closed sender would meet
 * any row the same way: those wait, however long it takes somebody to repair it.
 */
function isPoison(error: EvtError): boolean {
  return !error.retryable && error.code !== 'EVT_BROKER_REFUSED' && error.code !== 'EVT_CLOSED'
}
