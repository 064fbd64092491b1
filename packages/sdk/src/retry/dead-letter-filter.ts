import { InvalidConfigurationError } from '../core/errors.ts'
import type { DeadLetter } from './dead-letter.ts'

/** Which dead letters are meant: those of which everything holds that is said. */
export interface DeadLetterFilter {
  /** All of them; so that nobody means all by saying nothing. */
  readonly all?: true
  readonly ids?: readonly string[]
  /** Topic that the event came from. */
  readonly topic?: string
  readonly eventType?: string
  /** Code of the last attempt's error. */
  readonly errorCode?: string
  /** The record's key as text. */
  readonly key?: string
  readonly eventId?: string
  readonly correlationId?: string
  /** Died then or later. */
  readonly from?: Date
  /** Died before. */
  readonly to?: Date
}

/** @throws InvalidConfigurationError for a filter that says nothing, or two things that cannot both be meant. */
export function mustBeFilter(filter: DeadLetterFilter): void {
  const { all, ...said } = filter
  const parts = Object.entries(said).filter(([, value]) => value !== undefined)
  if (parts.length === 0 && all !== true)
    throw new InvalidConfigurationError(
      'an empty filter means no dead letter; say which ones (topic, eventType, errorCode, key, ids, ...), or all: true',
    )
  if (parts.length > 0 && all === true)
    throw new InvalidConfigurationError(
      `all: true means every dead letter, and ${parts.map(([name]) => name).join(', ')} only some; say one of both`,
    )
}

export function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { ids, topic, eventType, errorCode, key, eventId, correlationId, from, to } = filter
  const is = (wanted: string | undefined, found: string | undefined) => wanted === undefined || wanted === found
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    is(topic, letter.message.topic) &&
    is(eventType, letter.eventType) &&
    is(errorCode, letter.attempts.at(-1)?.code) &&
    is(key, letter.message.key?.toString('utf8')) &&
    is(eventId, letter.eventId) &&
    is(correlationId, letter.correlationId) &&
    (from === undefined || letter.diedAt >= from.getTime()) &&
    (to === undefined || letter.diedAt < to.getTime())
  )
}
