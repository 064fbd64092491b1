import { createHash } from 'node:crypto'

/** A UUID (version 8) that depends on who handles what, and on nothing else. */
export function idempotencyKey(group: string, handler: string, eventId: string): string {
  // Lengths first, so that no two triples can read the same.
  const named = [group, handler, eventId].map((part) => `${Buffer.byteLength(part)}:${part}`).join('')
  const digest = createHash('sha256').update(named).digest().subarray(0, 16)
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6)
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = digest.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
