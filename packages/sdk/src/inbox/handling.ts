import type { Envelope } from '../core/envelope.ts'

/** What the inbox notes of an event that was handled. */
export interface Note {
  /** The event's id as a uuid. */
  readonly eventKey: string
  readonly group: string
  readonly handler: string
}

/** One event that is to be handled once: what is noted, and the work that belongs to the note. */
export interface Handling<Transaction> {
  readonly event: Envelope
  readonly note: Note
  /** The message's key; those of one key never share a transaction. `null` for none. */
  readonly key: string | null
  /** Aborted when the handling was given up: then nothing of it may be committed. Made when it is first asked for. */
  readonly signal: AbortSignal
  /** Whether it may share a transaction with others. */
  readonly shares: boolean
  work(tx: Transaction): Promise<void>
}

export type HandlingOutcome = 'handled' | 'duplicate'
