import type { FailedAttempt } from '../core/failed-events.ts'
import { headerNames, headerText } from '../core/headers.ts'
import type { RawMessage } from '../core/message.ts'
import { type DeadLetterKind, deadLetterId, isDeadLetterKind } from './dead-letter-record.ts'
import { eventIn, type Redriven, type TravellingEvent } from './returned-event.ts'

/** An event that its group could not handle, as it stands in the group's dead-letter topic, undecided. */
export interface DeadLetter {
  /** Its identity: the same however often the event dies. */
  readonly id: string
  readonly kind: DeadLetterKind
  /** Where its latest record stands in the dead-letter topic. */
  readonly at: bigint
  /** The record as it first came, byte for byte, with the topic and timestamp that it had there. */
  readonly message: RawMessage
  readonly partition: number
  readonly offset: bigint
  /** From the headers of the record, which anyone may have written. */
  readonly eventId: string | undefined
  readonly eventType: string | undefined
  readonly correlationId: string | undefined
  /** All attempts there were, over all redrives. */
  readonly attemptCount: number
  /** The first one and the latest, the oldest first. */
  readonly attempts: readonly FailedAttempt[]
  /** Who handed it over again before, the oldest first. */
  readonly redrives: readonly Redriven[]
  /** When its last attempt failed. Milliseconds since the epoch. */
  readonly diedAt: number
  /** More than 1 when a consumer stopped between writing it and moving its offset. */
  readonly timesSeen: number
}

/**
 * The dead letter in a record.
 *
 * @throws UndecodableRecordError when the record is something else.
 */
export function deadLetterIn(record: RawMessage, at: bigint): DeadLetter | undefined {
  const { event, kind } = eventIn(record)
  if (!isDeadLetterKind(kind)) return undefined
  const { message, partition, offset, attempts, redrives } = event
  return {
    ...{ id: deadLetterId(event), kind, at, message, partition, offset, redrives },
    eventId: headerText(message, headerNames.eventId),
    eventType: headerText(message, headerNames.eventType),
    correlationId: headerText(message, headerNames.correlationId),
    attemptCount: attempts.count,
    attempts: attempts.kept,
    diedAt: attempts.kept.at(-1)?.at ?? record.timestamp ?? 0,
    timesSeen: 1,
  }
}

/** The event of a dead letter, on its way again. */
export function eventOfLetter(letter: DeadLetter, redriven: Redriven): TravellingEvent {
  const { message, partition, offset, attempts, attemptCount, redrives } = letter
  return {
    ...{ message, partition, offset },
    attempts: { count: attemptCount, kept: attempts },
    redrives: [...redrives, redriven],
  }
}
