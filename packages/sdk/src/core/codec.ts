import { isUtf8 } from 'node:buffer'
import type { Envelope } from './envelope.ts'
import { UndecodableRecordError } from './errors.ts'
import type { EventDefinition } from './event.ts'
import { jsonText, mustSurviveJson } from './json-data.ts'
import type { Header, RawMessage } from './message.ts'

/** A fact as bytes, and what its record's headers say of them. */
export interface Encoded {
  readonly value: Buffer
  /** Written to the `content-type` header. */
  readonly contentType: string
  /** Headers of the format's own, written behind those that every record has. @default none */
  readonly headers?: readonly Header[]
}

/** How a fact becomes bytes and back. */
export interface Codec {
  /**
   * A promise only when something must be fetched first, such as a schema's id.
   *
   * @throws InvalidEventError when the format cannot carry the data so that it can be read again.
   */
  encode(event: EventDefinition, envelope: Envelope): Encoded | Promise<Encoded>
  /** Whether a message looks like this format, by its headers and first bytes. Cheap, and no promise that it can be read. */
  recognises(message: RawMessage): boolean
  /**
   * Reads an envelope; its data is not validated yet.
   *
   * @throws UndecodableRecordError when the bytes are not an envelope.
   */
  decode(message: RawMessage): Envelope | Promise<Envelope>
}

/** The envelope as a JSON document in UTF-8. */
export const jsonCodec: Codec = {
  encode: encodeJson,
  recognises: ({ value }) => value !== null && firstCharacter(value) === openingBrace,
  decode: decodeJson,
}

const openingBrace = 0x7b

/** The first byte that JSON does not take for white space. */
function firstCharacter(bytes: Buffer): number | undefined {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte
  return undefined
}

function encodeJson(event: EventDefinition, envelope: Envelope): Encoded | Promise<Encoded> {
  const text = jsonText(event, envelope)
  const checked = mustSurviveJson(event, envelope.data, text)
  return checked === undefined ? asJson(text) : checked.then(() => asJson(text))
}

function asJson(text: string): Encoded {
  return { value: Buffer.from(text), contentType: 'application/json' }
}

function decodeJson(message: RawMessage): Envelope {
  if (message.value === null)
    throw new UndecodableRecordError('expected an event envelope, got a null value (a tombstone)')
  // Decoding would put U+FFFD in the place of what is wrong, and nobody would see that the fact is no longer the one published.
  if (!isUtf8(message.value))
    throw new UndecodableRecordError(
      `expected an event envelope as JSON in UTF-8, got ${describeBytes(message.value)} that are not UTF-8`,
    )
  let document: unknown
  try {
    document = JSON.parse(message.value.toString('utf8'))
  } catch (cause) {
    throw new UndecodableRecordError(`expected an event envelope as JSON, got ${describeBytes(message.value)}`, {
      cause,
    })
  }
  return asEnvelope(document)
}

/** Checks the shape of a decoded envelope and keeps only the fields of the contract. */
export function asEnvelope(document: unknown): Envelope {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new UndecodableRecordError(
      `expected an event envelope, got ${Array.isArray(document) ? 'an array' : typeof document}`,
    )
  // Every field is checked below before it is used as what it should be.
  const fields = document as { readonly [Field in keyof Envelope]?: unknown }
  const causationId = fields.causationId ?? null
  if (causationId !== null && typeof causationId !== 'string')
    throw new UndecodableRecordError(`expected causationId as text or null, got ${typeof causationId}`)
  if (!Object.hasOwn(fields, 'data')) throw new UndecodableRecordError('expected an event envelope with data, got none')
  // Field by field and not in a loop over names: this runs for every record, and reading by a name in a variable is slow.
  return {
    eventId: asText(fields.eventId, 'eventId'),
    eventType: asText(fields.eventType, 'eventType'),
    eventVersion: asText(fields.eventVersion, 'eventVersion'),
    timestamp: asText(fields.timestamp, 'timestamp'),
    source: asText(fields.source, 'source'),
    correlationId: asText(fields.correlationId, 'correlationId'),
    causationId,
    data: fields.data,
    metadata: asMetadata(fields.metadata),
  }
}

function asText(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '')
    throw new UndecodableRecordError(
      `expected an event envelope with ${field} as text, got ${value === '' ? 'an empty one' : typeof value}`,
    )
  return value
}

const noMetadata: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

function asMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return noMetadata
  if (typeof value !== 'object' || Array.isArray(value))
    throw new UndecodableRecordError(
      `expected metadata as an object of texts, got ${Array.isArray(value) ? 'an array' : typeof value}`,
    )
  const entries = Object.entries(value)
  if (entries.length === 0) return noMetadata
  // Null prototype: names such as "constructor" come from outside and must never reach Object.prototype.
  const metadata: Record<string, string> = Object.create(null)
  for (const [name, text] of entries) {
    if (typeof text !== 'string')
      throw new UndecodableRecordError(`expected metadata.${name} as text, got ${typeof text}`)
    metadata[name] = text
  }
  return metadata
}

function describeBytes(bytes: Buffer): string {
  return `${bytes.length} byte(s) starting 0x${bytes.subarray(0, 8).toString('hex')}`
}
