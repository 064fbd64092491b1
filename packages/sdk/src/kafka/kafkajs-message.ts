/** Records of kafkajs as ours, and ours as its. */
import type { IHeaders, Message } from 'kafkajs'
import type { Header, RawMessage } from '../core/message.ts'

/** A record to send, with its partition already decided. */
export function toKafkajsMessage(message: RawMessage, partition: number): Message {
  const { key, value, headers, timestamp } = message
  const record: Message = { key, value, partition, headers: toKafkajsHeaders(headers) }
  if (timestamp !== undefined) record.timestamp = String(timestamp)
  return record
}

/** kafkajs takes an object; a name that repeats becomes a list, so its values keep their order among themselves. */
export function toKafkajsHeaders(headers: readonly Header[]): IHeaders {
  const object: IHeaders = {}
  for (const [name, value] of headers) {
    // Assigning to `__proto__` would change the prototype instead of adding a header.
    if (name === '__proto__') addOwn(object, name, value)
    else if (Object.hasOwn(object, name)) append(object, name, value)
    else object[name] = value
  }
  return object
}

function append(object: IHeaders, name: string, value: Buffer): void {
  const present = object[name]
  object[name] = Array.isArray(present) ? [...present, value] : present === undefined ? value : [present, value]
}

function addOwn(object: IHeaders, name: string, value: Buffer): void {
  const present = Object.getOwnPropertyDescriptor(object, name)?.value
  const values = present === undefined ? value : Array.isArray(present) ? [...present, value] : [present, value]
  Object.defineProperty(object, name, { value: values, enumerable: true, configurable: true, writable: true })
}

/**
 * The headers of a fetched record. Anyone may have written them, and kafkajs gathers them in an object that inherits:
 * a header named `constructor` arrives as a list that begins with a function. So only own names and only buffers are taken.
 */
export function fromKafkajsHeaders(headers: IHeaders | undefined): readonly Header[] {
  if (headers === undefined) return []
  const pairs: Header[] = []
  for (const name of Object.keys(headers)) {
    // `headers.__proto__` is read by its descriptor, because reading it plainly may give the prototype.
    const value: unknown = name === '__proto__' ? Object.getOwnPropertyDescriptor(headers, name)?.value : headers[name]
    if (Buffer.isBuffer(value)) pairs.push([name, value])
    else if (Array.isArray(value)) for (const one of value) if (Buffer.isBuffer(one)) pairs.push([name, one])
  }
  return pairs
}
