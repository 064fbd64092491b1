/** The names on the wire, in one table, and how to read headers that anyone may have written. */
import type { Envelope } from './envelope.ts'
import type { Header, RawMessage } from './message.ts'

/** Header names that repeat what routing needs, so that nothing has to be decoded to route. */
export const headerNames = {
  eventId: 'event-id',
  eventType: 'event-type',
  eventVersion: 'event-version',
  source: 'event-source',
  correlationId: 'correlation-id',
  causationId: 'causation-id',
  contentType: 'content-type',
} as const

/** Longest header value that is read as text; longer ones are treated as absent. Bytes. */
export const maxHeaderTextBytes = 1024

/** The headers of an envelope. `causation-id` is left out at the start of a chain. */
export function envelopeHeaders(envelope: Envelope, contentType: string): Header[] {
  const headers: Header[] = [
    [headerNames.contentType, cached(contentType)],
    [headerNames.eventId, Buffer.from(envelope.eventId)],
    [headerNames.eventType, cached(envelope.eventType)],
    [headerNames.eventVersion, cached(envelope.eventVersion)],
    [headerNames.source, cached(envelope.source)],
    [headerNames.correlationId, Buffer.from(envelope.correlationId)],
  ]
  if (envelope.causationId !== null) headers.push([headerNames.causationId, Buffer.from(envelope.causationId)])
  return headers
}

/** First value of a header as text, or `undefined` when absent, too long, or holding control characters. */
export function headerText(message: RawMessage, name: string): string | undefined {
  for (const [candidate, value] of message.headers) {
    if (candidate !== name) continue
    if (value.length > maxHeaderTextBytes) return undefined
    const text = value.toString('utf8')
    return hasControlCharacter(text) ? undefined : text
  }
  return undefined
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

// Types, versions and sources are few and come back in every record; their bytes are made once. Senders only read them.
const bytesOf = new Map<string, Buffer>()

function cached(text: string): Buffer {
  let bytes = bytesOf.get(text)
  if (bytes === undefined) {
    bytes = Buffer.from(text)
    if (bytesOf.size < 1000) bytesOf.set(text, bytes)
  }
  return bytes
}
