import type { Clock } from '../core/clock.ts'
import { InvalidConfigurationError, UndecodableRecordError } from '../core/errors.ts'
import type {
  FailedEvent,
  FailedEvents,
  FailedEventsHost,
  FailedEventsMember,
  ReturnedEvent,
} from '../core/failed-events.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Delivery } from '../core/message.ts'
import type { Sender } from '../core/transport.ts'
import { withAttempts } from './attempt-list.ts'
import { checkTopics, type TopicLooks } from './check-topics.ts'
import { writeDeadLetter } from './dead-letter-record.ts'
import { deadLetterTopicName, mustBeTiers, retryTopicName } from './retry-topic-names.ts'
import { eventIn, eventOf, remember } from './returned-event.ts'
import { writeEvent } from './write-event.ts'

export interface RetryTopicsOptions {
  readonly transport: Sender & TopicLooks
  /**
   * How long a failed event waits before each further attempt, from the shortest to the longest; each delay is a topic of its
   * own. Milliseconds. @default [5000, 60000, 600000]
   */
  readonly tiers?: readonly number[]
}

/**
 * Takes over failed events without a database: they wait in topics of the consumer's group, one for each delay, and are handed
 * over once more when they are due. What fails in the last of them goes to the group's dead-letter topic.
 *
 * **The order of a key is not kept.** Later events of the key are handled while an earlier one waits. Where that matters, use
 * `createParking`, which needs PostgreSQL.
 *
 * An event is durable in the next topic before its offset moves, so a crash between the two makes it come twice. An event may
 * wait longer than its delay, never less by the clock of who hands it over: the clocks of a group's members must agree.
 *
 * @example
 * const consumer = createConsumer({
 *   source: kafka,
 *   group: 'shipping',
 *   rejected: deadLetterTopic({ sender: kafka }),
 *   failed: createRetryTopics({ transport: kafka, tiers: [5_000, 60_000, 600_000] }),
 * })
 *
 * @throws InvalidConfigurationError for tiers that are not positive and ascending.
 */
export function createRetryTopics({ transport, tiers = [5000, 60_000, 600_000] }: RetryTopicsOptions): FailedEvents {
  mustBeTiers(tiers)
  const delays = [...tiers]
  return {
    // An event also waits behind those before it, which have waited as long as it has; and for its turn.
    spanMs: delays.reduce((sum, delayMs) => sum + delayMs, 0) * 2 + delays.length * 60_000,
    topics(group, topics) {
      const own = delays.map((delayMs) => retryTopicName(group, delayMs))
      const clash = topics.find((name) => own.includes(name) || name === deadLetterTopicName(group))
      if (clash !== undefined)
        throw new InvalidConfigurationError(
          `group "${group}" has a handler for events of "${clash}", the topic that its own failed events go to; they would fail in a circle. Handle them in another group.`,
        )
      return own
    },
    join: (host) => new RetryTopicsMember(transport, delays, host),
  }
}

class RetryTopicsMember implements FailedEventsMember {
  readonly #transport: Sender & TopicLooks
  readonly #host: FailedEventsHost
  readonly #tiers: readonly number[]
  /** Topics of the tiers, by their place. */
  readonly #topics: readonly string[]
  readonly #waits: Waits
  #checked: Promise<void> | undefined

  constructor(transport: Sender & TopicLooks, tiers: readonly number[], host: FailedEventsHost) {
    this.#transport = transport
    this.#host = host
    this.#tiers = tiers
    this.#topics = tiers.map((delayMs) => retryTopicName(host.group, delayMs))
    this.#waits = new Waits(host.clock)
  }

  async check(): Promise<void> {
    this.#checked ??= checkTopics(this.#transport, this.#host.group, this.#tiers)
    try {
      await this.#checked
    } catch (error) {
      this.#checked = undefined
      throw error
    }
  }

  /** Nothing is handled before it is known that what fails has a place to go. */
  assigned(): Promise<void> {
    return this.check()
  }

  isBehind(): boolean {
    return false
  }

  async follow(): Promise<'free'> {
    return 'free'
  }

  returned(delivery: Delivery): ReturnedEvent | undefined {
    // Anywhere else such headers are somebody else's, and mean nothing.
    const delayMs = this.#tiers[this.#topics.indexOf(delivery.message.topic)]
    if (delayMs === undefined) return undefined
    const { event, kind, due } = eventIn(delivery.message)
    if (kind !== 'retry' || due === undefined)
      throw new UndecodableRecordError(
        `a record of "${delivery.message.topic}" is no failed event that waits, but ${kind}`,
      )
    const { message, partition, offset, attempts } = remember({ ...event, waitedIn: delivery.message.topic })
    const { group, replay, attempt } = delivery
    return {
      delivery: { message, partition, offset, group, replay, attempt: attempts.count + attempt },
      dueInMs: this.#waits.leftMs(delivery, due, delayMs),
    }
  }

  async take({ delivery, attempts, final }: FailedEvent): Promise<'taken'> {
    const before = eventOf(delivery)
    const event = { ...before, attempts: withAttempts(before.attempts, attempts, delivery.attempt) }
    const { group, clock } = this.#host
    const next = before.waitedIn === undefined ? 0 : this.#topics.indexOf(before.waitedIn) + 1
    const topic = this.#topics[next]
    const delayMs = this.#tiers[next]
    if (final || topic === undefined || delayMs === undefined) {
      await writeDeadLetter(this.#transport, group, event, 'given-up')
      await failpoint('deadLetters.stored')
      return 'taken'
    }
    // Under the key it had, so that events of one key still come to one member, one at a time.
    const to = { topic, kind: 'retry', key: event.message.key, due: clock.now() + delayMs }
    await writeEvent(this.#transport, event, to)
    await failpoint('retry.written')
    return 'taken'
  }

  async close(): Promise<void> {}
}

/** How much later than its time an event may be handed over, so that others come with it. Milliseconds. */
const longestGatheringMs = 1000

interface Wait {
  readonly offset: bigint
  /** Monotonic milliseconds. */
  readonly until: number
}

/** How long the first record of each partition that is not due has to wait, whatever becomes of the time of day meanwhile. */
class Waits {
  readonly #clock: Clock
  readonly #byPartition = new Map<string, Wait>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  leftMs({ message, partition, offset }: Delivery, due: number, delayMs: number): number {
    const place = `${message.topic}/${partition}`
    const now = this.#clock.monotonic()
    const known = this.#byPartition.get(place)
    if (known?.offset === offset) return Math.max(0, Math.ceil(known.until - now))
    // A clock that was wrong, here or where it was written, lets an event wait for its delay once more at most.
    const dueInMs = Math.min(due - this.#clock.now(), delayMs)
    if (dueInMs <= 0) return 0
    // Looking again means fetching again, so what is due shortly after one another is handed over together.
    const leftMs = Math.max(dueInMs, Math.min(longestGatheringMs, delayMs / 10))
    this.#byPartition.set(place, { offset, until: now + leftMs })
    return Math.ceil(leftMs)
  }
}
