import type { Header } from '../core/message.ts'

/**
 * Headers as bytes in one column: for each, length and bytes of the name, then of the value. Unlike `jsonb` it holds any
 * bytes, keeps order and repeated names, and gives back on every read exactly what was written.
 */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  let size = 0
  for (const [name, value] of headers) size += 8 + Buffer.byteLength(name) + value.length
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [name, value] of headers) {
    const nameLength = bytes.write(name, at + 4)
    bytes.writeUInt32BE(nameLength, at)
    at += 4 + nameLength
    bytes.writeUInt32BE(value.length, at)
    value.copy(bytes, at + 4)
    at += 4 + value.length
  }
  return bytes
}

/** The headers that {@link encodeHeaders} wrote. The values are views of `bytes`. */
export function decodeHeaders(bytes: Buffer): Header[] {
  const headers: Header[] = []
  let at = 0
  while (at < bytes.length) {
    const nameLength = bytes.readUInt32BE(at)
    const name = bytes.toString('utf8', at + 4, at + 4 + nameLength)
    at += 4 + nameLength
    const valueLength = bytes.readUInt32BE(at)
    headers.push([name, bytes.subarray(at + 4, at + 4 + valueLength)])
    at += 4 + valueLength
  }
  return headers
}
