import { UndecodableRecordError } from '../core/errors.ts'
import type { Delivery, RawMessage } from '../core/message.ts'
import {
  type AttemptDetail,
  type AttemptList,
  decodeAttempts,
  encodeAttempts,
  noAttempts,
  parsed,
} from './attempt-list.ts'
import { type OwnHeader, partHeaders, withOwnHeaders } from './own-headers.ts'

/** Who handed a dead letter over again, why and when. */
export interface Redriven {
  readonly by: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Which run did it. */
  readonly run: string
}

/** An event on its way through the topics of a group: the record as it first came, and what happened to it since. */
export interface TravellingEvent {
  /** With the topic, headers and timestamp that it first had. */
  readonly message: RawMessage
  readonly partition: number
  readonly offset: bigint
  readonly attempts: AttemptList
  /** The latest ones, the oldest first. */
  readonly redrives: readonly Redriven[]
  /** The retry topic it came back from, if it did. */
  readonly waitedIn?: string
}

const mostRedrives = 10

/** What is known of messages that came back from a retry topic. */
const travelling = new WeakMap<RawMessage, TravellingEvent>()

/** The event in a delivery, with its history when it has one. */
export function eventOf({ message, partition, offset }: Delivery): TravellingEvent {
  return travelling.get(message) ?? { message, partition, offset, attempts: noAttempts, redrives: [] }
}

/** Remembers the history of a message for as long as somebody holds the message. */
export function remember(event: TravellingEvent): TravellingEvent {
  travelling.set(event.message, event)
  return event
}

/** The record that carries an event. In a dead letter the key is in a header. */
export function recordOf(
  event: TravellingEvent,
  to: {
    readonly topic: string
    readonly kind: string
    readonly key: Buffer | null
    readonly due: number | undefined
    readonly detail: AttemptDetail
  },
): RawMessage {
  const { message, partition, offset, attempts, redrives } = event
  const { key } = message
  const headers = withOwnHeaders(
    {
      kind: to.kind,
      due: to.due === undefined ? '' : String(to.due),
      topic: message.topic,
      partition: String(partition),
      offset: String(offset),
      timestamp: message.timestamp === undefined || message.timestamp < 0 ? '' : String(message.timestamp),
      attemptCount: String(attempts.count),
      attempts: encodeAttempts(attempts, to.detail),
      redrives: JSON.stringify(redrives.slice(to.detail === 'all' ? -mostRedrives : -1)),
      // In a retry topic the key is where it was; written twice it could be twice as long as a record may be.
      key: to.key === key || key === null ? '' : key,
      keyless: String(key === null),
    },
    message.headers,
  )
  return { topic: to.topic, key: to.key, value: message.value, headers }
}

/**
 * The event that {@link recordOf} put in a record, its kind and when it is due.
 *
 * @throws UndecodableRecordError when the record is something else.
 */
export function eventIn(record: RawMessage): {
  readonly event: TravellingEvent
  readonly kind: string
  readonly due: number | undefined
} {
  const { own, record: headers } = partHeaders(record.headers)
  const text = (name: OwnHeader): string => {
    const value = own[name]
    if (value === undefined) throw unreadable(record, name, 'it is missing')
    return value.toString('utf8')
  }
  const whole = (name: OwnHeader): number => {
    const value = text(name)
    const number = Number(value)
    if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(number))
      throw unreadable(record, name, 'it is no whole number')
    return number
  }
  const kind = text('kind')
  const attempts = decodeAttempts(own.attempts ?? Buffer.alloc(0))
  if (attempts === undefined) throw unreadable(record, 'attempts', 'it is no list of attempts')
  const timestamp = text('timestamp') === '' ? {} : { timestamp: whole('timestamp') }
  // A retry record has its key where it was; only a dead letter carries it in a header.
  const carried = kind === 'retry' ? record.key : (own.key ?? null)
  const message: RawMessage = {
    topic: text('topic'),
    key: text('keyless') === 'true' ? null : carried,
    value: record.value,
    headers,
    ...timestamp,
  }
  const offset = text('offset')
  if (!/^\d{1,19}$/.test(offset)) throw unreadable(record, 'offset', 'it is no whole number')
  return {
    kind,
    due: text('due') === '' ? undefined : whole('due'),
    event: {
      message,
      partition: whole('partition'),
      offset: BigInt(offset),
      attempts: { count: Math.max(whole('attemptCount'), attempts.length), kept: attempts },
      redrives: redrivesIn(own.redrives),
    },
  }
}

function redrivesIn(bytes: Buffer | undefined): readonly Redriven[] {
  const list = bytes === undefined ? undefined : parsed(bytes)
  return Array.isArray(list) ? list.filter(isRedriven).slice(-mostRedrives) : []
}

function isRedriven(value: unknown): value is Redriven {
  if (typeof value !== 'object' || value === null) return false
  const { by, reason, at, run } = value as Partial<Record<keyof Redriven, unknown>> // looked at below, one by one
  return typeof by === 'string' && typeof reason === 'string' && typeof at === 'number' && typeof run === 'string'
}

function unreadable(record: RawMessage, name: OwnHeader, why: string): UndecodableRecordError {
  return new UndecodableRecordError(
    `a record of "${record.topic}" was not written by the group's consumers: of its header "evtkit-${name}", ${why}`,
  )
}
