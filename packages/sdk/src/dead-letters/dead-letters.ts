import type { Codec } from '../core/codec.ts'
import type { EventDefinition } from '../core/event.ts'
import type { RejectHandler } from '../core/rejection.ts'
import type {
  DeadLetter,
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterOperation,
  DeadLetterPage,
  DeadLetterQuery,
  Decision,
} from './dead-letter.ts'
import type { ParkedKey, ParkedKeyFilter, ParkedKeyPage, ParkedKeyQuery } from './parked-key.ts'
import type { RedrivePlan, RedriveResult } from './redrive.ts'

/**
 * The dead letters and waiting keys of all groups in one database, and what a person can do about them. Whatever changes
 * something asks who does it and why, and keeps the answer.
 *
 * @throws SchemaNotMigratedError from every method, when the database has no tables for them.
 */
export interface DeadLetters {
  /** Stores what a consumer cannot read or does not know: its `rejected` option. */
  readonly rejected: RejectHandler
  /** Dead letters, the latest first. */
  list(query?: DeadLetterQuery, page?: DeadLetterPage): Promise<readonly DeadLetter[]>
  show(id: string): Promise<DeadLetterDetails | undefined>
  /** Keys whose events wait, those that wait longest first. */
  keys(query?: ParkedKeyQuery, page?: ParkedKeyPage): Promise<readonly ParkedKey[]>
  /**
   * What `redrive` would do with the dead letters of a filter.
   *
   * @throws InvalidConfigurationError for a filter that names nothing but its group, unless it says `all: true`.
   */
  plan(filter: DeadLetterFilter): Promise<RedrivePlan>
  /**
   * Puts dead letters back to where they were in the queues of their keys, so that the consumers of their group, and no other,
   * have them again; then their successors follow. Resolves once that is durable: no process has to wait for the rest. An
   * event gets one attempt at least, and all of its attempts go on counting; when it is given up again it is the same dead
   * letter. Redriving twice at once does each event once.
   *
   * @throws InvalidConfigurationError as `plan`, and when it is not said who decides and why.
   */
  redrive(chosen: RedrivePlan | DeadLetterFilter, decision: RedriveDecision): Promise<RedriveResult>
  /**
   * Replaces the data of a dead letter with data that its event's schema accepts. It gets a new event id, and the old one as
   * its cause; what it was is kept. It stays a dead letter: redrive it after that.
   *
   * @throws InvalidEventError when the data does not match the definition, or has another key than the record.
   * @throws InvalidConfigurationError when there is no such dead letter, or the event belongs to another topic.
   */
  edit<Type extends string, Data, Input>(
    id: string,
    edit: EditOptions<Type, Data, Input>,
  ): Promise<{ readonly eventId: string }>
  /**
   * Gives dead letters up for good. Events that waited for one of them go on. Their rows are kept until they are pruned.
   *
   * @returns the ids of those that were discarded.
   */
  discard(filter: DeadLetterFilter, decision: Decision): Promise<readonly string[]>
  /**
   * Lets keys that wait for the time of their next attempt have it now. Stopped keys are left alone.
   *
   * @returns the ids of those keys.
   */
  retryNow(filter: ParkedKeyFilter, decision: Decision): Promise<readonly string[]>
  /**
   * Makes the head of a waiting key a dead letter that nothing waits for, and lets the events behind it go on.
   *
   * @returns the ids of those keys.
   */
  skip(filter: ParkedKeyFilter, decision: Decision): Promise<readonly string[]>
  /** What people did, the latest first. */
  history(of?: { readonly group?: string }, page?: DeadLetterPage): Promise<readonly DeadLetterOperation[]>
  /**
   * Forgets what was redriven and handled, or discarded, longer ago than this; and what people did before that.
   *
   * @returns how many failed events were forgotten.
   */
  prune(olderThanMs: number): Promise<number>
}

export interface RedriveDecision extends Decision {
  /** Events that are handed over in a second at most. @default 20 */
  readonly ratePerSecond?: number
}

export interface EditOptions<Type extends string, Data, Input> extends Decision {
  readonly event: EventDefinition<Type, Data, Input>
  readonly data: NoInfer<Input>
  /** What the record is written with. @default jsonCodec */
  readonly codec?: Codec
}
