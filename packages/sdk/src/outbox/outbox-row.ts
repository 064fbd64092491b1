import type { RawMessage } from '../core/message.ts'
import { murmur2 } from '../core/murmur2.ts'

/** Shares of the outbox that relays divide among themselves: at most this many relays work at once. */
export const bucketCount = 16

/** A message waiting in the outbox. */
export interface OutboxRow {
  /** Grows in commit order for one topic and key. */
  readonly id: string
  /** Equal for equal topic and key; rows without a key are on their own. */
  readonly keyHash: number
  readonly message: RawMessage
}

/** The number by which topic and key are told apart in locks, buckets and waits. Different keys may share one: they then wait for each other. */
export function keyHash(message: RawMessage, random: () => number): number {
  // Rows without a key have no order; they spread over the buckets.
  if (message.key === null) return Math.floor(random() * 0x1_0000_0000) | 0
  return murmur2(Buffer.concat([Buffer.from(message.topic), separator, message.key]))
}

const separator = Buffer.from([0])
