/** How a record says with which schema its value was written. */
import type { Header, RawMessage } from '../core/message.ts'

/** The header that may name the schema instead of the value's first bytes; the value is then Avro and nothing else. */
export const schemaIdHeader = '__value_schema_id'

/** By id: a zero, then four bytes, the highest first. By GUID: a one, then its sixteen bytes. */
const byId = 0
const idFrameBytes = 5
const byGuid = 1
const guidFrameBytes = 17

/** What a record says of its schema, and where its Avro begins. */
export interface NamedSchema {
  /** A number for an id, `8-4-4-4-12` hexadecimal digits for a GUID. */
  readonly schema: number | string
  readonly bodyAt: number
}

/** The reference to a schema by its id, as it stands before a value or in the header. */
export function frameOf(id: number): Buffer {
  const frame = Buffer.alloc(idFrameBytes)
  frame.writeInt32BE(id, 1)
  return frame
}

/** Whether a message names a schema: in its header, or else in its first bytes. */
export function namesSchema(message: RawMessage): boolean {
  if (message.value === null) return false
  const header = schemaHeader(message.headers)
  return header === undefined ? isFrame(message.value, false) : isFrame(header, true)
}

/** The schema that a value's message names; `undefined` when it names none. */
export function namedSchema(value: Buffer, headers: readonly Header[]): NamedSchema | undefined {
  const header = schemaHeader(headers)
  const frame = header ?? value
  if (!isFrame(frame, header !== undefined)) return undefined
  const schema = frame[0] === byId ? frame.readInt32BE(1) : guidText(frame)
  return { schema, bodyAt: header === undefined ? (frame[0] === byId ? idFrameBytes : guidFrameBytes) : 0 }
}

/** The id in front of a value, in the form that nearly all records have; -1 for any other. Allocates nothing. */
export function plainFrameId(value: Buffer, headers: readonly Header[]): number {
  if (value[0] !== byId || value.length < idFrameBytes || schemaHeader(headers) !== undefined) return -1
  return value.readInt32BE(1)
}

/** Where Avro begins behind an id in front of it. */
export const plainBodyAt = idFrameBytes

function schemaHeader(headers: readonly Header[]): Buffer | undefined {
  for (const header of headers) if (header[0] === schemaIdHeader) return header[1]
  return undefined
}

function isFrame(bytes: Buffer, whole: boolean): boolean {
  const size = bytes[0] === byId ? idFrameBytes : bytes[0] === byGuid ? guidFrameBytes : Number.POSITIVE_INFINITY
  return whole ? bytes.length === size : bytes.length >= size
}

function guidText(frame: Buffer): string {
  const hex = frame.toString('hex', 1, guidFrameBytes)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
