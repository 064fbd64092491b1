/** What a consumer and whoever takes over its failed events say to each other. */
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { Delivery } from './message.ts'

/** One attempt at an event that failed, as it is kept. */
export interface FailedAttempt {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The error's `code`, or its name when it has none. */
  readonly code: string
  readonly message: string
  /** The first lines of its stack. */
  readonly stack: string
}

/**
 * What becomes of a key's later events once one of them is given up: they wait until someone decides about it (`stop`), or
 * they go on without it (`skip`).
 */
export type AfterGivingUp = 'stop' | 'skip'

/** An event whose attempts in place are used up. */
export interface FailedEvent {
  readonly delivery: Delivery
  /** Every attempt so far that is known, the oldest first. Never empty. */
  readonly attempts: readonly FailedAttempt[]
  /** No later attempt can help: the event is given up at once. */
  readonly final: boolean
  readonly afterGivingUp: AfterGivingUp
}

/**
 * Takes over events that a consumer could not handle in time, so that the rest of their partition goes on. `createParking`
 * keeps the order of each key; `createRetryTopics` does not.
 */
export interface FailedEvents {
  /**
   * From the first to the last attempt that it makes by itself, at most. Milliseconds. The inbox has to remember longer.
   */
  readonly spanMs: number
  /** Topics that the consumer's group reads besides its own: events come back through them. */
  topics?(group: string, topics: readonly string[]): readonly string[]
  /** Called when a consumer starts. */
  join(consumer: FailedEventsHost): FailedEventsMember
}

/** A consumer, as seen by whoever takes over its failed events. */
export interface FailedEventsHost {
  readonly group: string
  /** The topics that its handlers ask for, sorted. */
  readonly topics: readonly string[]
  /** Longest time of one `run`. Milliseconds. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly logger: Logger
  /**
   * Hands an event over again, through the whole pipeline and within the handler's deadline, as one of those that the
   * consumer runs at once. Never rejects.
   */
  run(delivery: Delivery): Promise<RetryOutcome>
}

/** What came of handing an event over again. */
export type RetryOutcome =
  | { readonly result: 'handled' }
  | {
      readonly result: 'failed'
      readonly attempt: FailedAttempt
      /** No later attempt can help, as with a record that cannot be read. */
      readonly final: boolean
      readonly afterGivingUp: AfterGivingUp
    }
  /** It was not the event's fault: a part is down, or the consumer closes. Counts for nothing. */
  | { readonly result: 'postponed'; readonly retryInMs: number }

/** An event that comes back through a topic. */
export interface ReturnedEvent {
  /** As the consumer first had it: topic, partition, offset, headers and timestamp; its attempts go on counting. */
  readonly delivery: Delivery
  /** How long it has to wait before it is handed over. Milliseconds; 0 when it is due. */
  readonly dueInMs: number
}

/** Takes over the failed events of one consumer, from its start to its close. */
export interface FailedEventsMember {
  /**
   * Looks at what it needs, as the consumer starts. What is not there yet is not its concern: `assigned` waits for that.
   *
   * @throws InvalidConfigurationError when it could never keep what it takes: the consumer does not start.
   */
  check?(): Promise<void>
  /**
   * A partition has become this member's. Resolves when it is known which of its keys wait; no record of it is handled before.
   * What it rejects with is an outage, and it is called again.
   */
  assigned(topic: string, partition: number): Promise<void>
  /** Whether an earlier event of its key still waits. Called for every delivery, so it must be quick; it may err on the side of `true`. */
  isBehind(delivery: Delivery): boolean
  /**
   * The event that a record of one of the topics it added stands for; `undefined` for a record of any other topic. Such records
   * are handed over in the order of their partition, none before the one ahead of it is due, and have one attempt in place.
   *
   * @throws RejectedRecordError when the record is something else; it is set aside as it is.
   */
  returned?(delivery: Delivery): ReturnedEvent | undefined
  /**
   * Puts an event behind the others of its key, durably. `free` when none of them waits any more: the event is handled now.
   * `full` when a limit is reached: the delivery, and with it the offset, has to wait.
   */
  follow(delivery: Delivery): Promise<'taken' | 'free' | 'full'>
  /**
   * Takes an event over, durably: its offset moves on after that. When it rejects, the event stays with the consumer.
   * The same event may be taken twice, as after a crash before the offset was committed.
   */
  take(failed: FailedEvent): Promise<'taken' | 'full'>
  /** Starts nothing more and waits for what runs. Does not reject. */
  close(deadlineMs: number): Promise<void>
}
