import { createHash } from 'node:crypto'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * The event's id as a uuid, in the form in which the database gives it back: itself in lower case when it is one. Other systems' ids, of any length and content, become one by their
 * SHA-256 (version 8), so that no id can be too long or too strange to be remembered.
 */
export function eventKey(eventId: string): string {
  if (uuid.test(eventId)) return eventId.toLowerCase()
  const digest = createHash('sha256').update(eventId).digest().subarray(0, 16)
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
