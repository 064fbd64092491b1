import { asEnvelope } from '../core/codec.ts'
import type { Envelope } from '../core/envelope.ts'
import { UndecodableRecordError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import { cloudEventAttributes as names, type ReadAttributes } from './attributes.ts'
import { parseJson } from './event-data.ts'
import type { EventNames } from './event-names.ts'

/**
 * The envelope that a CloudEvent carries, with defaults for what only ours say.
 *
 * @throws UndecodableRecordError when it lacks what every CloudEvent has.
 */
export function envelopeOf(
  attributes: ReadAttributes,
  data: unknown,
  types: EventNames,
  metadataFrom: readonly string[],
  message: RawMessage,
): Envelope {
  const { type, version } = types.fromCloudEvents(attributes.required('type'))
  const source = attributes.required('source')
  const ownVersion = attributes.text(names.eventVersion)
  const id = attributes.required('id')
  const eventId = ownVersion === undefined ? uniqueId(source, id) : id
  return asEnvelope({
    eventId,
    eventType: type,
    eventVersion: version ?? ownVersion ?? 'v1',
    timestamp: timestampOf(attributes, message),
    source,
    correlationId: attributes.text(names.correlationId) ?? eventId,
    causationId: attributes.text(names.causationId) ?? null,
    data,
    metadata: metadataOf(attributes, metadataFrom),
  })
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Ids of CloudEvents are unique together with their source only, and events are remembered by their id alone: without the
 * source, the second partner's event "1" would pass for a repetition of the first one's.
 */
function uniqueId(source: string, id: string): string {
  return uuid.test(id) ? id : `${source}|${id}`
}

/** In UTC; as it was written when it already is. Without a time it is when the record was. */
function timestampOf(attributes: ReadAttributes, { timestamp }: RawMessage): string {
  const time = attributes.text(names.timestamp)
  if (time !== undefined) return time.endsWith('Z') ? time : inUtc(time)
  const date = new Date(timestamp ?? Number.NaN)
  if (Number.isNaN(date.getTime()) || date.getTime() < 0)
    throw new UndecodableRecordError('expected a CloudEvent with a time, or a record with a timestamp, got neither')
  return date.toISOString()
}

/** JavaScript makes March of February 30, and of some years ones that no timestamp may have. */
function inUtc(time: string): string {
  const date = new Date(time.toUpperCase())
  const day = new Date(`${time.slice(0, 10)}T00:00:00.000Z`)
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === time.slice(0, 10)
  const utc = isDay && !Number.isNaN(date.getTime()) ? date.toISOString() : ''
  if (!/^\d{4}-/.test(utc))
    throw new UndecodableRecordError(
      `expected a CloudEvent whose ${names.timestamp} is a day of the calendar in the years 0000 to 9999 of UTC, got ${JSON.stringify(time)}`,
    )
  return utc
}

function metadataOf(attributes: ReadAttributes, metadataFrom: readonly string[]): unknown {
  const own = attributes.text(names.metadata)
  const metadata: unknown = own === undefined ? {} : parseJson(own, `${names.metadata} as JSON`)
  // Not an object: told by whoever looks at the envelope's fields.
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return metadata
  const others = metadataFrom.flatMap((name) => {
    const value = attributes.extension(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return others.length === 0 ? metadata : Object.fromEntries([...others, ...Object.entries(metadata)])
}
