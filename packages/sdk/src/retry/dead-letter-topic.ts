import { type Clock, systemClock } from '../core/clock.ts'
import { failedAttempt } from '../core/failure.ts'
import type { RejectHandler } from '../core/rejection.ts'
import type { Sender } from '../core/transport.ts'
import { withAttempts } from './attempt-list.ts'
import { writeDeadLetter } from './dead-letter-record.ts'
import { eventOf } from './returned-event.ts'

export interface DeadLetterTopicOptions {
  readonly sender: Sender
  readonly clock?: Clock
}

/**
 * Stores rejected records in the dead-letter topic of the consumer's group, `<group>.dead-letters`, for services without a
 * database: key, value and headers byte for byte, where the record was, and why it was rejected. The offset moves only after
 * the topic has it. {@link deadLetterTopicDefinition} describes the topic, `openDeadLetterTopic` reads it.
 *
 * @example
 * const consumer = createConsumer({ source: kafka, group: 'shipping', rejected: deadLetterTopic({ sender: kafka }) })
 */
export function deadLetterTopic({ sender, clock = systemClock }: DeadLetterTopicOptions): RejectHandler {
  return ({ delivery, error }) => {
    const event = eventOf(delivery)
    const attempts = withAttempts(event.attempts, [failedAttempt(error, clock)], delivery.attempt)
    return writeDeadLetter(sender, delivery.group, { ...event, attempts }, 'rejected')
  }
}
