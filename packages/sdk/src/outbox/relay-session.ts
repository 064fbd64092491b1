import type { EvtError } from '../core/errors.ts'
import type { OutboxRow } from './outbox-row.ts'

/** Opens sessions with the database that holds the outbox. */
export interface RelaySessions {
  /**
   * Runs `work` with a session, and ends it with everything it holds; at once when the signal is aborted.
   *
   * @throws SchemaNotMigratedError when there is no outbox.
   * @throws DatabaseUnavailableError
   */
  open<T>(work: (session: RelaySession) => Promise<T>, signal: AbortSignal): Promise<T>
}

/**
 * A relay's hold on its share of the outbox. The share is held by the session itself, and everything goes through it: a
 * relay that lost its session can neither claim nor delete.
 */
export interface RelaySession {
  /** Aborted when the session is gone, and the share with it. */
  readonly lost: AbortSignal
  /** Whether the application works on this very connection, so that it must not be asked often. */
  readonly shared: boolean
  /** Takes or gives up buckets until the share is fair among the relays at work; tells how many it has. Nothing may be under way. */
  balance(): Promise<number>
  /** The oldest rows of the share, by id. Rows of a key that waits behind a set-aside row are left out. */
  claim(options: ClaimOptions): Promise<Claim>
  /** Deletes rows that were acknowledged; tells how many were there. */
  remove(ids: readonly string[]): Promise<number>
  /** Moves rows that can never be sent as they are, and what waits behind them, out of the way. */
  setAside(rows: readonly FailedRow[]): Promise<void>
  /** Moves rows that came to wait behind set-aside ones out of the way of the next claims; tells what is set aside. */
  sweep(): Promise<AsideSummary>
}

/** What a claim got. */
export interface Claim {
  readonly rows: readonly OutboxRow[]
  /** Whether a limit ended it, so that there may be more. */
  readonly more: boolean
}

export interface ClaimOptions {
  /** Rows at most. */
  readonly limit: number
  /** Bytes at most, of keys, values and headers together; a single row may be larger. */
  readonly maxBytes: number
  /** Rows being sent at the moment, by id. */
  readonly except: readonly string[]
  /** Keys to leave alone for now. */
  readonly exceptKeys: readonly number[]
  /** Topics to leave alone for now. */
  readonly exceptTopics: readonly string[]
}

/** What is set aside in the whole outbox, whichever relay did it. */
export interface AsideSummary {
  /** Rows at fault. */
  readonly rows: number
  /** Rows that wait behind them. */
  readonly waiting: number
  /** What the oldest row at fault failed with; empty when there is none. */
  readonly reason: string
}

/** A row and why it cannot be sent. */
export interface FailedRow {
  readonly row: OutboxRow
  readonly error: EvtError
}
