import type { Encoded } from '../core/codec.ts'
import type { Envelope } from '../core/envelope.ts'
import { InvalidEventError } from '../core/errors.ts'
import type { EventDefinition } from '../core/event.ts'
import { jsonText, mustSurviveJson } from '../core/json-data.ts'
import type { Header } from '../core/message.ts'
import { faultOf, cloudEventAttributes as names } from './attributes.ts'
import type { EventNames } from './event-names.ts'
import { headerPrefix } from './read-cloud-event.ts'

type Attributes = readonly (readonly [name: string, value: string])[]

/**
 * The attributes that carry an envelope.
 *
 * @throws InvalidEventError when an attribute could not be read again, by us or by others.
 */
export function attributesOf(
  event: EventDefinition,
  envelope: Envelope,
  types: EventNames,
  dataSchema: string | undefined,
): Attributes {
  const attributes: [string, string][] = [
    ['specversion', '1.0'],
    [names.eventId, envelope.eventId],
    [names.source, envelope.source],
    [names.eventType, types.toCloudEvents(envelope.eventType, envelope.eventVersion)],
    [names.timestamp, envelope.timestamp],
    [names.eventVersion, envelope.eventVersion],
    [names.correlationId, envelope.correlationId],
  ]
  if (envelope.causationId !== null) attributes.push([names.causationId, envelope.causationId])
  const metadata = metadataText(envelope.metadata)
  if (metadata !== undefined) attributes.push([names.metadata, metadata])
  if (dataSchema !== undefined) attributes.push(['dataschema', dataSchema])
  for (const [name, value] of attributes) {
    const fault = faultOf(name, value)
    if (fault !== undefined)
      throw new InvalidEventError(event.type, [{ path: '', message: `the CloudEvents attribute "${name}" ${fault}` }])
  }
  // Told to those who send it on by another way. It is the record's key in any case, so it is left out rather than refused.
  const key = event.key(envelope.data)
  if (typeof key === 'string' && faultOf('subject', key) === undefined)
    attributes.push(['subject', key], ['partitionkey', key])
  return attributes
}

/** JSON, since names of metadata are not names of attributes. */
function metadataText(metadata: Envelope['metadata']): string | undefined {
  const entries = Object.entries(metadata)
  if (entries.length === 0) return undefined
  // JSON leaves these as they are, and an attribute may not hold them.
  return JSON.stringify(metadata).replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, (character) =>
    [...Array(character.length).keys()].map((i) => escaped(character.charCodeAt(i))).join(''),
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

export function writeBinary(
  event: EventDefinition,
  envelope: Envelope,
  attributes: Attributes,
): Encoded | Promise<Encoded> {
  const text = jsonText(event, { data: envelope.data })
  const encoded = (): Encoded => ({
    value: Buffer.from(text.slice('{"data":'.length, -1)),
    contentType: 'application/json',
    headers: attributes.map(([name, value]): Header => [headerPrefix + name, Buffer.from(value)]),
  })
  return whenSound(event, envelope, text, encoded)
}

export function writeStructured(
  event: EventDefinition,
  envelope: Envelope,
  attributes: Attributes,
): Encoded | Promise<Encoded> {
  const document = { ...Object.fromEntries(attributes), datacontenttype: 'application/json', data: envelope.data }
  const text = jsonText(event, document)
  const encoded = (): Encoded => ({
    value: Buffer.from(text),
    contentType: 'application/cloudevents+json; charset=utf-8',
  })
  return whenSound(event, envelope, text, encoded)
}

function whenSound(
  event: EventDefinition,
  { data }: Envelope,
  text: string,
  encoded: () => Encoded,
): Encoded | Promise<Encoded> {
  const checked = mustSurviveJson(event, data, text)
  return checked === undefined ? encoded() : checked.then(encoded)
}
