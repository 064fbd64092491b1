import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import { type NewId, newUuid } from '../core/ids.ts'
import type { GroupAdmin, Sender, Source, TopicAdmin } from '../core/transport.ts'
import { type DeadLetter, eventOfLetter } from './dead-letter.ts'
import { type DeadLetterFilter, matches, mustBeFilter } from './dead-letter-filter.ts'
import { DeadLetterLog } from './dead-letter-log.ts'
import { DeadLetterReader } from './dead-letter-reader.ts'
import { type DeadLetterOperation, noteRecord } from './dead-letter-record.ts'
import { carryOut, type DeadLetterRun, type LeftAlone } from './dead-letter-run.ts'
import { deadLetterTopicName, mustBeTiers, retryTopicName } from './retry-topic-names.ts'
import { cleaned } from './text-from-outside.ts'
import { writeEvent } from './write-event.ts'

/** Who does something to dead letters, and why. Both are kept in the topic. */
export interface OnBehalf {
  readonly by: string
  readonly reason: string
}

/** What a redrive or a discard is going to do: exactly these dead letters, as they are now. */
export interface DeadLetterPlan {
  readonly id: string
  readonly group: string
  readonly letters: readonly Pick<DeadLetter, 'id' | 'at'>[]
  /** How many there are of each. */
  readonly byTopic: Readonly<Record<string, number>>
  readonly byEventType: Readonly<Record<string, number>>
  readonly byErrorCode: Readonly<Record<string, number>>
  /** When the first and the last of them died. Milliseconds since the epoch; `undefined` when there are none. */
  readonly oldest: number | undefined
  readonly latest: number | undefined
  /** Members of the group at the moment; without one, what is redriven waits until there is. */
  readonly members: number
}

export interface DeadLetterResult {
  /** The run that stands in the topic with who and why. */
  readonly run: string
  readonly done: number
  readonly leftAlone: readonly LeftAlone[]
}

/** The dead letters of one group, in its dead-letter topic. */
export interface DeadLetterTopic {
  /** Undecided ones, in the order in which they died; all of them without a filter. */
  list(filter?: DeadLetterFilter): Promise<readonly DeadLetter[]>
  /**
   * What a redrive or a discard would do. Changes nothing but the record that somebody asked.
   *
   * @throws InvalidConfigurationError for an empty filter without `all`, or when nobody or no reason is named.
   */
  plan(filter: DeadLetterFilter, onBehalf: OnBehalf): Promise<DeadLetterPlan>
  /**
   * Hands the dead letters of a plan to their group once more, and to nobody else: into its first retry topic, due at once.
   * Attempts go on counting. Those that changed since the plan was made are left alone. When two runs are at it at once, each
   * letter is in one of them; when a run dies half-way, the next one does what it has left, and at most repeats what it had
   * just written.
   *
   * @param options.ratePerSecond most events in a second. @default 50
   * @throws InvalidConfigurationError without tiers, when nobody or no reason is named, or for another group's plan.
   */
  redrive(plan: DeadLetterPlan, options: OnBehalf & { readonly ratePerSecond?: number }): Promise<DeadLetterResult>
  /** Lets go of the dead letters of a plan for good. Their records stay in the topic for as long as it keeps them. */
  discard(plan: DeadLetterPlan, onBehalf: OnBehalf): Promise<DeadLetterResult>
  /** What was done, by whom, why and when, the oldest first; the last thousand operations. */
  history(): Promise<readonly DeadLetterOperation[]>
  close(): Promise<void>
}

export interface OpenDeadLetterTopicOptions {
  readonly transport: Sender & Source & Pick<TopicAdmin, 'offsets'> & Pick<GroupAdmin, 'members'>
  readonly group: string
  /** The tiers of the group's retry topics. Without them there is nothing to redrive through, and only looking and discarding. */
  readonly tiers?: readonly number[]
  /** Most bytes of dead letters that are held at once. @default 268435456 */
  readonly maxBytes?: number
  /** How long to wait for the broker. Milliseconds. @default 30000 */
  readonly patienceMs?: number
  readonly clock?: Clock
  readonly newId?: NewId
}

/**
 * Opens the dead letters of a group. They are read from the topic's beginning under a consumer group of their own
 * (`<group>.dead-letters.reader-…`), which the broker forgets by itself; nothing of the group's own progress is touched.
 *
 * @example
 * const letters = await openDeadLetterTopic({ transport: kafka, group: 'shipping', tiers: [5_000, 60_000, 600_000] })
 * const plan = await letters.plan({ errorCode: 'E_ADDRESS' }, { by: 'ana', reason: 'the address book is complete' })
 * if (plan.letters.length < 100) await letters.redrive(plan, { by: 'ana', reason: 'the address book is complete' })
 * await letters.close()
 *
 * @throws UnknownTopicError BrokerUnavailableError
 * @throws InvalidConfigurationError for a group whose name is no topic's, or tiers that cannot be.
 */
export async function openDeadLetterTopic(options: OpenDeadLetterTopicOptions): Promise<DeadLetterTopic> {
  const { transport, group, tiers, clock = systemClock, newId = newUuid } = options
  const { maxBytes = 256 * 1024 * 1024, patienceMs = 30_000 } = options
  if (tiers !== undefined) mustBeTiers(tiers)
  const topic = deadLetterTopicName(group)
  const log = new DeadLetterLog()
  const own = `${topic}.reader-${newId().slice(-12)}`
  const reader = new DeadLetterReader({ transport, topic, group: own, log, maxBytes, patienceMs, clock })
  await reader.open()
  return new GroupDeadLetters({ transport, group, tiers, clock, newId, log, reader })
}

interface Parts {
  readonly transport: OpenDeadLetterTopicOptions['transport']
  readonly group: string
  readonly tiers: readonly number[] | undefined
  readonly clock: Clock
  readonly newId: NewId
  readonly log: DeadLetterLog
  readonly reader: DeadLetterReader
}

class GroupDeadLetters implements DeadLetterTopic {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async list(filter: DeadLetterFilter = { all: true }): Promise<readonly DeadLetter[]> {
    mustBeFilter(filter)
    const { reader, log } = this.#parts
    await reader.caughtUp()
    return log.letters.filter((letter) => matches(letter, filter))
  }

  async plan(filter: DeadLetterFilter, onBehalf: OnBehalf): Promise<DeadLetterPlan> {
    const { group, transport, newId } = this.#parts
    const { by, reason } = named(onBehalf)
    const letters = await this.list(filter)
    const id = newId()
    await this.#note({ kind: 'planned', run: id, plan: id, by, reason, letters: letters.length, filter: said(filter) })
    const died = letters.map(({ diedAt }) => diedAt)
    return {
      ...{ id, group },
      letters: letters.map((letter) => ({ id: letter.id, at: letter.at })),
      byTopic: counted(letters, ({ message }) => message.topic),
      byEventType: counted(letters, ({ eventType }) => eventType ?? 'unknown'),
      byErrorCode: counted(letters, ({ attempts }) => attempts.at(-1)?.code ?? 'unknown'),
      oldest: died.length === 0 ? undefined : died.reduce((a, b) => Math.min(a, b)),
      latest: died.length === 0 ? undefined : died.reduce((a, b) => Math.max(a, b)),
      members: await transport.members(group),
    }
  }

  async redrive(
    plan: DeadLetterPlan,
    { ratePerSecond = 50, ...onBehalf }: OnBehalf & { readonly ratePerSecond?: number },
  ): Promise<DeadLetterResult> {
    const { group, tiers, transport, clock, newId } = this.#parts
    const [firstMs] = tiers ?? []
    if (firstMs === undefined)
      throw new InvalidConfigurationError(
        `dead letters go back to group "${group}" through its first retry topic, and no tiers were given; open them with the tiers of its createRetryTopics`,
      )
    if (!(ratePerSecond > 0)) throw new InvalidConfigurationError(`ratePerSecond must be above 0, got ${ratePerSecond}`)
    const topic = retryTopicName(group, firstMs)
    const { by, reason } = named(onBehalf)
    const id = newId()
    const act = (letter: DeadLetter) => {
      const event = eventOfLetter(letter, { by, reason, at: clock.now(), run: id })
      return writeEvent(transport, event, { topic, kind: 'retry', key: letter.message.key, due: clock.now() })
    }
    return this.#carryOut(plan, { id, kind: 'redriven', by, reason, act }, ratePerSecond)
  }

  async discard(plan: DeadLetterPlan, onBehalf: OnBehalf): Promise<DeadLetterResult> {
    const run = { ...named(onBehalf), id: this.#parts.newId(), kind: 'discarded' as const, act: async () => {} }
    return this.#carryOut(plan, run, Number.POSITIVE_INFINITY)
  }

  async history(): Promise<readonly DeadLetterOperation[]> {
    const { reader, log } = this.#parts
    await reader.caughtUp()
    return log.operations
  }

  close(): Promise<void> {
    return this.#parts.reader.close()
  }

  async #carryOut(plan: DeadLetterPlan, run: DeadLetterRun, ratePerSecond: number): Promise<DeadLetterResult> {
    const { group } = this.#parts
    if (plan.group !== group)
      throw new InvalidConfigurationError(`this is a plan for group "${plan.group}", and these are those of "${group}"`)
    const kind = run.kind === 'redriven' ? 'redrive' : 'discard'
    const { by, reason } = run
    const letters = plan.letters.length
    await this.#note({ kind, run: run.id, plan: plan.id, by, reason, letters, filter: `plan ${plan.id}` })
    const { done, leftAlone } = await carryOut(this.#parts, plan.letters, run, ratePerSecond)
    return { run: run.id, done, leftAlone }
  }

  #note(operation: Omit<DeadLetterOperation, 'at'>): Promise<void> {
    const { transport, group, clock } = this.#parts
    return transport.send([noteRecord(group, { ...operation, at: clock.now() })])
  }
}

/** @throws InvalidConfigurationError when nobody, or no reason, is named. */
function named({ by, reason }: OnBehalf): OnBehalf {
  for (const [name, text] of Object.entries({ by, reason }))
    if (text.trim() === '')
      throw new InvalidConfigurationError(
        `whoever touches dead letters says who it is and why; ${name} must not be empty`,
      )
  return { by: cleaned(by, 200), reason: cleaned(reason, 500) }
}

function said({ from, to, ids, ...rest }: DeadLetterFilter): string {
  const times = { from: from?.toISOString(), to: to?.toISOString(), ids: ids?.slice(0, 20) }
  return cleaned(JSON.stringify({ ...rest, ...times }), 2000)
}

function counted(letters: readonly DeadLetter[], by: (letter: DeadLetter) => string): Record<string, number> {
  const counts = new Map<string, number>()
  for (const letter of letters) counts.set(by(letter), (counts.get(by(letter)) ?? 0) + 1)
  return Object.fromEntries(counts)
}
