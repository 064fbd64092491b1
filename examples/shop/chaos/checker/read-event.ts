import type { BookFact } from '../../books/books.ts'
import type { LoggedEvent } from './evidence.ts'

/** An id and a type one after the other, as Avro writes the first two texts of an envelope: each behind its length. */
const avroEnvelope = /H([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[\s\S]([A-Z][A-Za-z]+)[\s\S]v\d/

/** Which event a record's value is, read without the SDK; undefined when it is none. */
export function readEvent(value: string | null): LoggedEvent | undefined {
  if (value === null) return undefined
  if (value.startsWith('{')) {
    try {
      const fact: unknown = JSON.parse(value)
      // Safe: what has these texts and data is a fact as far as the checks look.
      return isEnvelope(fact) ? { eventId: fact.eventId, eventType: fact.eventType, fact: fact as BookFact } : undefined
    } catch {
      return undefined
    }
  }
  const [, eventId, eventType] = avroEnvelope.exec(value) ?? []
  return eventId === undefined || eventType === undefined ? undefined : { eventId, eventType, fact: undefined }
}

function isEnvelope(fact: unknown): fact is { eventId: string; eventType: string; data: object } {
  return (
    typeof fact === 'object' &&
    fact !== null &&
    'eventId' in fact &&
    typeof fact.eventId === 'string' &&
    'eventType' in fact &&
    typeof fact.eventType === 'string' &&
    'data' in fact &&
    typeof fact.data === 'object' &&
    fact.data !== null
  )
}
