import { isUtf8 } from 'node:buffer'
import { UndecodableRecordError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import { ReadAttributes, requiredAttributes } from './attributes.ts'
import { parseJson, parseMediaType, readData } from './event-data.ts'

/** A CloudEvent, whichever mode it came in. */
export interface CloudEvent {
  readonly attributes: ReadAttributes
  readonly data: unknown
}

/** In front of the names of attributes in the headers of a record. */
export const headerPrefix = 'ce_'
export const contentTypeHeader = 'content-type'
const structuredType = 'application/cloudevents'

/** Whether the headers say that a record is a CloudEvent, whole or not. */
export function looksLikeCloudEvent({ headers }: RawMessage): boolean {
  for (const [name, value] of headers) {
    // Lengths first: this runs for every record of a topic with mixed formats.
    if (name.length === contentTypeHeader.length && name.toLowerCase() === contentTypeHeader) {
      if (isStructured(value)) return true
    } else if (name.length <= 'ce_specversion'.length && isRequired.has(name.toLowerCase())) return true
  }
  return false
}

const isRequired = new Set<string>(requiredAttributes.map((name) => headerPrefix + name))

function isStructured(contentType: Buffer): boolean {
  return contentType.toString('latin1', 0, structuredType.length).toLowerCase() === structuredType
}

/**
 * Takes a record apart by the Kafka protocol binding of CloudEvents 1.0.
 *
 * @throws UndecodableRecordError when it is no CloudEvent.
 */
export function readCloudEvent(message: RawMessage): CloudEvent {
  if (message.value === null)
    throw new UndecodableRecordError('expected a CloudEvent with data, got a null value (a tombstone)')
  const headers = headersOf(message)
  const contentType = headers.get(contentTypeHeader)
  const event =
    contentType !== undefined && isStructured(contentType)
      ? structured(message.value, new ReadAttributes(headers).text(contentTypeHeader) ?? '')
      : binary(message.value, headers)
  const version = event.attributes.required('specversion')
  if (version !== '1.0')
    throw new UndecodableRecordError(`expected a CloudEvent of specversion 1.0, got ${JSON.stringify(version)}`)
  return event
}

/** What is of CloudEvents in a record's headers, by lower-case name. */
function headersOf({ headers }: RawMessage): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (const [written, value] of headers) {
    const name = written.toLowerCase()
    if (!name.startsWith(headerPrefix) && name !== contentTypeHeader) continue
    const before = found.get(name)
    // Which of two different ids would be the right one? Others may read the other one.
    if (before !== undefined && !before.equals(value))
      throw new UndecodableRecordError(
        `expected a CloudEvent, got one whose header "${name.slice(0, 40)}" has two values`,
      )
    found.set(name, value)
  }
  return found
}

function binary(value: Buffer, headers: ReadonlyMap<string, Buffer>): CloudEvent {
  const raw = new Map<string, Buffer>()
  for (const [name, bytes] of headers)
    if (name.startsWith(headerPrefix)) raw.set(name.slice(headerPrefix.length), bytes)
  const contentType = headers.get(contentTypeHeader)
  // Some write it as an attribute like any other.
  if (contentType !== undefined) raw.set('datacontenttype', contentType)
  const attributes = new ReadAttributes(raw)
  return { attributes, data: readData(value, attributes.text('datacontenttype')) }
}

function structured(value: Buffer, contentType: string): CloudEvent {
  const { mediaType } = parseMediaType(contentType)
  if (mediaType !== `${structuredType}+json`)
    throw new UndecodableRecordError(
      `expected a CloudEvent in binary mode or as ${structuredType}+json, got ${mediaType}${mediaType.startsWith(`${structuredType}-batch`) ? ', a batch, which has no place in one record' : ''}`,
    )
  if (!isUtf8(value))
    throw new UndecodableRecordError(`expected a CloudEvent as JSON, got ${value.length} byte(s) that are not UTF-8`)
  const document = parseJson(value.toString('utf8'), 'all of it in a JSON document')
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new UndecodableRecordError(
      `expected a CloudEvent as a JSON object, got ${document === null ? 'null' : Array.isArray(document) ? 'an array' : typeof document}`,
    )
  const raw = new Map<string, unknown>(Object.entries(document))
  const attributes = new ReadAttributes(raw)
  return { attributes, data: dataOf(raw, attributes) }
}

function dataOf(document: ReadonlyMap<string, unknown>, attributes: ReadAttributes): unknown {
  const encoded = document.get('data_base64') ?? undefined
  // An event that says nothing but that it happened; whether that will do is for its definition to say.
  if (encoded === undefined) return document.get('data') ?? null
  if (document.has('data')) throw new UndecodableRecordError('expected a CloudEvent with data or data_base64, got both')
  // Buffer.from would leave out whatever is not base64.
  if (typeof encoded !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0)
    throw new UndecodableRecordError('expected a CloudEvent with data_base64 as base64 text, got something else')
  return readData(Buffer.from(encoded, 'base64'), attributes.text('datacontenttype'))
}
