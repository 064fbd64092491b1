/** The attributes of CloudEvents 1.0 that carry an envelope, and what text an attribute may hold. */
import { isUtf8 } from 'node:buffer'
import type { Envelope } from '../core/envelope.ts'
import { UndecodableRecordError } from '../core/errors.ts'
import { maxHeaderTextBytes } from '../core/headers.ts'

/** Which attribute carries which field of the envelope; its data is the event's data. */
export const cloudEventAttributes = {
  eventId: 'id',
  eventType: 'type',
  eventVersion: 'eventversion',
  timestamp: 'time',
  source: 'source',
  correlationId: 'correlationid',
  causationId: 'causationid',
  metadata: 'evtmetadata',
} as const satisfies { readonly [Field in Exclude<keyof Envelope, 'data'>]: string }

/** Attributes that every CloudEvent has. */
export const requiredAttributes = ['specversion', 'id', 'source', 'type'] as const

/** Longest metadata, as JSON in UTF-8. All other attributes end at {@link maxHeaderTextBytes}. */
export const maxMetadataBytes = 16 * 1024

/** Names of attributes: what an extension may be called. */
export const attributeName = /^[a-z0-9]{1,20}$/

/** RFC 3339, which is stricter than ISO 8601. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

// Control characters, halves of surrogate pairs and code points that stand for nothing.
const illegal = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u
const uriReference = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})+$/i

/** What is wrong with a text as the value of an attribute; `undefined` when nothing is. */
export function faultOf(name: string, value: string): string | undefined {
  const limit = name === cloudEventAttributes.metadata ? maxMetadataBytes : maxHeaderTextBytes
  if (value === '') return 'is empty'
  if (Buffer.byteLength(value) > limit) return `is longer than ${limit} bytes`
  if (illegal.test(value)) return 'holds characters that an attribute may not hold, such as a control character'
  if (name === 'source' && !uriReference.test(value))
    return 'is not a URI reference, such as "order-service" or "/shop/orders"'
  if (name === 'time' && (!rfc3339.test(value) || Number.isNaN(Date.parse(value.toUpperCase()))))
    return 'is not a time by RFC 3339, such as 2026-01-01T00:00:00.000Z'
  return undefined
}

/** The attributes of one event as they came, by lower-case name. */
export class ReadAttributes {
  readonly #raw: ReadonlyMap<string, unknown>

  /** @param raw a header's bytes, or the value in a JSON document. */
  constructor(raw: ReadonlyMap<string, unknown>) {
    this.#raw = raw
  }

  /**
   * The value of an attribute as text; `undefined` when it is absent, null or empty.
   *
   * @throws UndecodableRecordError when it is there and cannot be an attribute of that name.
   */
  text(name: string): string | undefined {
    const raw = this.#raw.get(name)
    if (raw === undefined || raw === null || raw === '') return undefined
    if (Buffer.isBuffer(raw)) {
      if (raw.length === 0) return undefined
      // Looked at before it is decoded: anyone may write a header of many megabytes.
      if (raw.length > maxMetadataBytes) fail(name, `is longer than ${maxMetadataBytes} bytes`)
      if (!isUtf8(raw)) fail(name, 'is not UTF-8')
    } else if (typeof raw !== 'string') fail(name, `is ${Array.isArray(raw) ? 'an array' : typeof raw}, not text`)
    const value = raw.toString()
    // Others call their sources what they like; only what we write must be a URI reference to the letter.
    const fault = faultOf(name === 'source' ? 'subject' : name, value)
    if (fault !== undefined) fail(name, fault)
    return value
  }

  /** The value of an extension, which in a JSON document may also be a number or a boolean. */
  extension(name: string): string | undefined {
    const raw = this.#raw.get(name)
    return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : this.text(name)
  }

  /** @throws UndecodableRecordError also when the attribute is absent. */
  required(name: (typeof requiredAttributes)[number]): string {
    const value = this.text(name)
    if (value === undefined)
      throw new UndecodableRecordError(
        `expected a CloudEvent with the attribute "${name}", got ${this.#raw.has(name) ? 'an empty one' : 'none'}`,
      )
    return value
  }
}

function fail(name: string, fault: string): never {
  throw new UndecodableRecordError(`expected a CloudEvent, got one whose attribute "${name}" ${fault}`)
}
