import type { Envelope } from './envelope.ts'
import { UndecodableRecordError } from './errors.ts'
import type { EventDefinition } from './event.ts'
import type { RawMessage } from './message.ts'

/** How a fact becomes bytes and back. */
export interface Codec {
  /** Written to the `content-type` header. */
  readonly contentType: string
  encode(event: EventDefinition, envelope: Envelope): Buffer | Promise<Buffer>
  /**
   * Reads an envelope; its data is not validated yet.
   *
   * @throws UndecodableRecordError when the bytes are not an envelope.
   */
  decode(message: RawMessage): Envelope | Promise<Envelope>
}

/** The envelope as a JSON document in UTF-8. */
export const jsonCodec: Codec = {
  contentType: 'application/json',
  encode: (_event, envelope) => Buffer.from(JSON.stringify(envelope)),
  decode: decodeJson,
}

function decodeJson(message: RawMessage): Envelope {
  if (message.value === null)
    throw new UndecodableRecordError('expected an event envelope, got a null value (a tombstone)')
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

const requiredText = ['eventId', 'eventType', 'eventVersion', 'timestamp', 'source', 'correlationId'] as const

/** Checks the shape of a decoded envelope and keeps only the fields of the contract. */
export function asEnvelope(document: unknown): Envelope {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new UndecodableRecordError(
      `expected an event envelope, got ${Array.isArray(document) ? 'an array' : typeof document}`,
    )
  // Every field is checked below before it is used as what it should be.
  const fields = document as Record<string, unknown>
  for (const name of requiredText)
    if (typeof fields[name] !== 'string' || fields[name] === '')
      throw new UndecodableRecordError(`expected an event envelope with ${name} as text, got ${typeof fields[name]}`)
  const causationId = fields.causationId ?? null
  if (causationId !== null && typeof causationId !== 'string')
    throw new UndecodableRecordError(`expected causationId as text or null, got ${typeof causationId}`)
  if (!Object.hasOwn(fields, 'data')) throw new UndecodableRecordError('expected an event envelope with data, got none')
  return {
    eventId: fields.eventId as string,
    eventType: fields.eventType as string,
    eventVersion: fields.eventVersion as string,
    timestamp: fields.timestamp as string,
    source: fields.source as string,
    correlationId: fields.correlationId as string,
    causationId,
    data: fields.data,
    metadata: asMetadata(fields.metadata),
  }
}

const noMetadata: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

function asMetadata(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return noMetadata
  if (typeof value !== 'object' || Array.isArray(value))
    throw new UndecodableRecordError(
      `expected metadata as an object of texts, got ${Array.isArray(value) ? 'an array' : typeof value}`,
    )
  // Null prototype: names such as "constructor" come from outside and must never reach Object.prototype.
  const metadata: Record<string, string> = Object.create(null)
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw new UndecodableRecordError(`expected metadata.${name} as text, got ${typeof text}`)
    metadata[name] = text
  }
  return metadata
}

function describeBytes(bytes: Buffer): string {
  return `${bytes.length} byte(s) starting 0x${bytes.subarray(0, 8).toString('hex')}`
}
