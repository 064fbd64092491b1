import { createHash } from 'node:crypto'
import { headerNames, headerText } from '../core/headers.ts'
import type { RawMessage } from '../core/message.ts'

/** What a record's headers and first bytes say of it. Anyone may have written them: they are for finding it, nothing else. */
export interface RecordFacts {
  readonly eventId: string | null
  readonly eventType: string | null
  readonly eventVersion: string | null
  readonly correlationId: string | null
  /** The id or GUID that the record names its schema by. */
  readonly schemaId: string | null
}

/** Longest text taken from a header; an index takes it at any width of its characters. */
const maxFactLength = 200

export function recordFacts(message: RawMessage): RecordFacts {
  const text = (name: string) => headerText(message, name)?.slice(0, maxFactLength) ?? null
  return {
    eventId: text(headerNames.eventId),
    eventType: text(headerNames.eventType),
    eventVersion: text(headerNames.eventVersion),
    correlationId: text(headerNames.correlationId),
    schemaId: schemaId(message),
  }
}

/** Where the registries' serializers write it: in a header, or before the value. */
const schemaIdHeader = '__value_schema_id'

function schemaId({ value, headers }: RawMessage): string | null {
  const frame = headers.find(([name]) => name === schemaIdHeader)?.[1] ?? value
  if (frame === null) return null
  if (frame[0] === 0 && frame.length >= 5) return String(frame.readInt32BE(1))
  if (frame[0] === 1 && frame.length >= 17)
    return frame.toString('hex', 1, 17).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return null
}

/** Tells records with the same place apart, as in a topic that was made anew. */
export function contentHash(message: RawMessage, headers: Uint8Array): Buffer {
  return hashOf([message.key, message.value, headers])
}

/**
 * Identifies a key in its partition. A record without one has no successors: it gets a key that is its own, made of its
 * place and content.
 */
export function keyHash(key: Buffer | null, offset: bigint, content: Buffer): Buffer {
  return key === null ? hashOf([null, Buffer.from(String(offset)), content]) : hashOf([key])
}

/** Each part is preceded by its length, so that none can pass for another. */
function hashOf(parts: readonly (Uint8Array | null)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part === null ? -1 : part.length};`).update(part ?? '')
  return hash.digest()
}
