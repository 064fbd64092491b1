/** Where the error codes stand in Kafka's responses, to be able to put others there. */
import { API_KEYS, type KafkaRequest } from './kafka-frame.ts'

/** How a response is laid out, as far as its last error code. */
interface Layout {
  /** Versions that are known, from 0. */
  readonly until: number
  /** The version from which on lengths are variable and fields may be tagged. */
  readonly flexibleSince: number
  readonly fields: readonly Field[]
}

type Field =
  | { readonly kind: 'error'; readonly since?: number }
  | { readonly kind: 'skip'; readonly bytes: number; readonly since?: number }
  /** With its length in front: 2 bytes, or 4 for `bytes`. */
  | { readonly kind: 'string'; readonly since?: number }
  | { readonly kind: 'bytes'; readonly since?: number }
  | { readonly kind: 'array'; readonly since?: number; readonly of: readonly Field[] }

const error: Field = { kind: 'error' }
const string: Field = { kind: 'string' }
const skip = (bytes: number, since = 0): Field => ({ kind: 'skip', bytes, since })
const array = (of: readonly Field[], since = 0): Field => ({ kind: 'array', of, since })

/** A response whose only error code comes at the beginning, behind the time of throttling in later versions. */
const atOnce = (throttleSince: number, until: number, flexibleSince: number): Layout => ({
  until,
  flexibleSince,
  fields: [skip(4, throttleSince), error],
})

const layouts: ReadonlyMap<number, Layout> = new Map([
  [
    API_KEYS.Produce,
    {
      until: 12,
      flexibleSince: 9,
      fields: [
        array([
          string,
          array([
            skip(4),
            error,
            skip(8),
            skip(8, 2),
            skip(8, 5),
            array([skip(4), string], 8),
            { kind: 'string', since: 8 },
          ]),
        ]),
      ],
    },
  ],
  [
    API_KEYS.Fetch,
    {
      until: 11,
      flexibleSince: 12,
      fields: [
        skip(4, 1),
        { kind: 'error', since: 7 },
        skip(4, 7),
        array([
          string,
          array([
            skip(4),
            error,
            skip(8),
            skip(8, 4),
            skip(8, 5),
            array([skip(16)], 4),
            skip(4, 11),
            { kind: 'bytes' },
          ]),
        ]),
      ],
    },
  ],
  [
    API_KEYS.ListOffsets,
    {
      until: 5,
      flexibleSince: 6,
      fields: [skip(4, 2), array([string, array([skip(4), error, skip(16, 1), skip(4, 4)])])],
    },
  ],
  [
    API_KEYS.OffsetCommit,
    { until: 9, flexibleSince: 8, fields: [skip(4, 3), array([string, array([skip(4), error])])] },
  ],
  [
    API_KEYS.OffsetFetch,
    {
      until: 7,
      flexibleSince: 6,
      fields: [skip(4, 3), array([string, array([skip(12), skip(4, 5), string, error])]), { kind: 'error', since: 2 }],
    },
  ],
  [API_KEYS.FindCoordinator, atOnce(1, 3, 3)],
  [API_KEYS.JoinGroup, atOnce(2, 9, 6)],
  [API_KEYS.Heartbeat, atOnce(1, 4, 4)],
  [API_KEYS.LeaveGroup, atOnce(1, 5, 4)],
  [API_KEYS.SyncGroup, atOnce(1, 5, 4)],
  [API_KEYS.InitProducerId, atOnce(0, 5, 2)],
])

export function isErrorCodeKnown(apiKey: number): boolean {
  return layouts.has(apiKey)
}

/**
 * A copy of the response with this error code wherever it has one; undefined when its version is not known, or nothing in it
 * can fail.
 */
export function errorCodeWritten(response: Buffer, request: KafkaRequest, errorCode: number): Buffer | undefined {
  const layout = layouts.get(request.apiKey)
  const { apiVersion } = request
  if (layout === undefined || apiVersion > layout.until) return undefined
  const copy = Buffer.from(response)
  const walk = new ResponseWalk(copy, apiVersion, apiVersion >= layout.flexibleSince, errorCode)
  try {
    walk.begin()
    walk.fields(layout.fields)
  } catch (thrown) {
    // Beyond the end: the response is not laid out as was thought.
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
  return walk.written > 0 ? copy : undefined
}

class ResponseWalk {
  readonly #bytes: Buffer
  readonly #version: number
  readonly #flexible: boolean
  readonly #errorCode: number
  #position = 8
  written = 0

  constructor(bytes: Buffer, version: number, flexible: boolean, errorCode: number) {
    this.#bytes = bytes
    this.#version = version
    this.#flexible = flexible
    this.#errorCode = errorCode
  }

  /** Passes the header behind the length and the correlation id. */
  begin(): void {
    if (this.#flexible) this.#tags()
  }

  fields(fields: readonly Field[]): void {
    for (const field of fields) if (this.#version >= (field.since ?? 0)) this.#field(field)
  }

  #field(field: Field): void {
    if (field.kind === 'error') {
      this.#position = this.#bytes.writeInt16BE(this.#errorCode, this.#position)
      this.written++
    } else if (field.kind === 'skip') this.#pass(field.bytes)
    else if (field.kind === 'string') this.#pass(this.#length(2))
    else if (field.kind === 'bytes') this.#pass(this.#length(4))
    else {
      const count = this.#length(4)
      for (let i = 0; i < count; i++) {
        this.fields(field.of)
        if (this.#flexible) this.#tags()
      }
    }
  }

  #pass(bytes: number): void {
    this.#position += Math.max(0, bytes)
  }

  /** A length in front; negative for null. */
  #length(bytes: 2 | 4): number {
    if (this.#flexible) return this.#varint() - 1
    const length = bytes === 2 ? this.#bytes.readInt16BE(this.#position) : this.#bytes.readInt32BE(this.#position)
    this.#position += bytes
    return length
  }

  #tags(): void {
    const count = this.#varint()
    for (let i = 0; i < count; i++) {
      this.#varint()
      this.#pass(this.#varint())
    }
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#position++)
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value
    }
  }
}
