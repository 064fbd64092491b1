import type { RawMessage } from '../core/message.ts'

/** A record that could not be read or is not known, as it was stored. */
export interface RejectedRecord {
  readonly group: string
  readonly partition: number
  readonly offset: bigint
  /** The record, byte for byte. */
  readonly message: RawMessage
  readonly errorCode: string
  readonly errorMessage: string
  readonly firstSeen: Date
  readonly lastSeen: Date
  /** How often it was rejected; more than once after a replay, or when a consumer stopped before it could commit. */
  readonly timesSeen: number
}
