import type { RawMessage } from '../core/message.ts'
import { decodeHeaders } from './header-bytes.ts'
import type { Row } from './queryable.ts'

/** The message in a row with the columns topic, key, value, headers and timestamp_ms. */
export function messageOf(row: Row): RawMessage {
  const timestamp = row.timestamp_ms === null ? {} : { timestamp: Number(row.timestamp_ms) }
  // The types are those that the columns have in every table of ours that stores messages.
  return {
    topic: String(row.topic),
    key: row.key as Buffer | null,
    value: row.value as Buffer | null,
    headers: decodeHeaders(row.headers as Buffer),
    ...timestamp,
  }
}

/** Longest error text that is stored with a message. Characters. */
const maxErrorLength = 4000

/** What an error said, as a text column takes it: such columns hold no NUL, and errors repeat what came from outside. */
export function storableError(text: string): string {
  return text.replaceAll('\0', '\ufffd').slice(0, maxErrorLength)
}
