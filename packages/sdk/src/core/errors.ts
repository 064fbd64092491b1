/**
 * Every error the SDK raises on purpose: one class per thing a caller would handle differently.
 *
 * Each has a stable `code`, says whether the same call may succeed later (`retryable`), and keeps its `cause`.
 * Recognise them with {@link isEvtError}, which looks at a brand and so works across two copies of the package.
 */
import type { RawMessage } from './message.ts'

const brand = Symbol.for('evtkit.error')

/** The codes of {@link EvtError}, in one place; `docs/errors.md` explains each and is checked against this list. */
export const errorCodes = [
  'EVT_INVALID_DEFINITION',
  'EVT_INVALID_CONFIGURATION',
  'EVT_INVALID_EVENT',
  'EVT_UNDECODABLE_RECORD',
  'EVT_UNKNOWN_EVENT',
  'EVT_INVALID_RECORD',
  'EVT_UNKNOWN_SCHEMA',
  'EVT_SEND_FAILED',
  'EVT_RECORD_TOO_LARGE',
  'EVT_RECORD_REFUSED',
  'EVT_UNKNOWN_TOPIC',
  'EVT_TOPIC_MISMATCH',
  'EVT_STALE_TOPIC_PLAN',
  'EVT_SEND_TIMEOUT',
  'EVT_HELD_BACK',
  'EVT_BROKER_UNAVAILABLE',
  'EVT_BROKER_REFUSED',
  'EVT_HISTORY_GAP',
  'EVT_UNREADABLE_BATCH',
  'EVT_REGISTRY_UNAVAILABLE',
  'EVT_REGISTRY_REFUSED',
  'EVT_SCHEMA_NOT_REGISTERED',
  'EVT_INVALID_SCHEMA',
  'EVT_INVALID_CONTRACT',
  'EVT_DATABASE_UNAVAILABLE',
  'EVT_DEPENDENCY_UNAVAILABLE',
  'EVT_SCHEMA_NOT_MIGRATED',
  'EVT_NOT_A_TRANSACTION',
  'EVT_HANDLER_DEADLINE',
  'EVT_CLOSE_DEADLINE',
  'EVT_CLOSED',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface EvtErrorOptions {
  readonly cause?: unknown
}

/** What all errors of the SDK share. */
export abstract class EvtError extends Error {
  /** Stable across releases; match on this, never on the message. */
  abstract readonly code: ErrorCode
  /** `true` when the same call may succeed later without anyone changing anything. */
  abstract readonly retryable: boolean

  constructor(message: string, options: EvtErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Tells whether a value is an error of this SDK, whichever copy of the package made it. */
export function isEvtError(value: unknown): value is EvtError {
  return typeof value === 'object' && value !== null && brand in value
}

/** Whether trying again can help: our errors say so themselves, anything else is given the benefit of the doubt. */
export function isRetryable(error: unknown): boolean {
  return isEvtError(error) ? error.retryable : true
}

/** An event or topic definition that cannot work, found when it is defined. */
export class InvalidDefinitionError extends EvtError {
  readonly code = 'EVT_INVALID_DEFINITION'
  readonly retryable = false
}

/** Options that contradict each other or a promise; raised when the part is created or started. */
export class InvalidConfigurationError extends EvtError {
  readonly code = 'EVT_INVALID_CONFIGURATION'
  readonly retryable = false
}

/** One thing a schema found wrong: where, and what. */
export interface SchemaIssue {
  /** Dotted path from the data, such as `lines.0.quantity`; empty for the data itself. */
  readonly path: string
  readonly message: string
}

const listIssues = (issues: readonly SchemaIssue[]): string =>
  issues.map((issue) => `${issue.path === '' ? 'data' : `data.${issue.path}`}: ${issue.message}`).join('; ')

/** A fact that does not match its definition: refused before any byte leaves. */
export class InvalidEventError extends EvtError {
  readonly code = 'EVT_INVALID_EVENT'
  readonly retryable = false
  readonly issues: readonly SchemaIssue[]

  constructor(eventType: string, issues: readonly SchemaIssue[], options: EvtErrorOptions = {}) {
    super(
      `${eventType} was not published: its data does not match the definition (${listIssues(issues)}). Correct the data; nothing was sent.`,
      options,
    )
    this.issues = issues
  }
}

/**
 * A record that no retry will make readable. The consumer hands it to its reject handler with its bytes and moves on
 * only when that handler has stored it. A handler may throw one itself to have its record set aside.
 */
export abstract class RejectedRecordError extends EvtError {
  readonly retryable = false
  readonly rejects = true
}

/** Tells whether an error means "set this record aside", whichever copy of the package made it. */
export function isRejection(error: unknown): error is RejectedRecordError {
  return isEvtError(error) && 'rejects' in error && error.rejects === true
}

/** Bytes that are not an envelope in any codec the consumer knows; a null value is one too. */
export class UndecodableRecordError extends RejectedRecordError {
  readonly code = 'EVT_UNDECODABLE_RECORD'
}

/** A well-formed envelope of a type or version that this consumer has no definition for. */
export class UnknownEventError extends RejectedRecordError {
  readonly code = 'EVT_UNKNOWN_EVENT'
}

/** A well-formed envelope whose data does not match the definition of its type. */
export class InvalidRecordError extends RejectedRecordError {
  readonly code = 'EVT_INVALID_RECORD'
  readonly issues: readonly SchemaIssue[]

  constructor(eventType: string, issues: readonly SchemaIssue[], options: EvtErrorOptions = {}) {
    super(`${eventType} arrived with data that does not match its definition (${listIssues(issues)})`, options)
    this.issues = issues
  }
}

/** Bytes whose schema the registry does not have, by the id or GUID that is written in them. */
export class UnknownSchemaError extends RejectedRecordError {
  readonly code = 'EVT_UNKNOWN_SCHEMA'
}

/** One message of a failed send, and why it was not acknowledged. */
export interface SendFailure {
  readonly message: RawMessage
  readonly error: EvtError
}

/**
 * Some messages of a send were not acknowledged. Every message that is not in `failures` is durable;
 * one that is may be durable all the same when its error is retryable, so sending it again can repeat it.
 */
export class SendFailedError extends EvtError {
  readonly code = 'EVT_SEND_FAILED'
  readonly retryable: boolean
  /** By index in the messages that were given to `send`. */
  readonly failures: ReadonlyMap<number, SendFailure>

  constructor(failures: ReadonlyMap<number, SendFailure>, total: number) {
    const first = failures.values().next().value
    super(
      `${failures.size} of ${total} message(s) were not acknowledged; first: ${first === undefined ? 'unknown' : `${first.message.topic}: ${first.error.message}`}`,
      { cause: first?.error },
    )
    this.failures = failures
    this.retryable = [...failures.values()].every((failure) => failure.error.retryable)
  }
}

/** A record larger than the topic or the client accepts; it can never be sent as it is. */
export class RecordTooLargeError extends EvtError {
  readonly code = 'EVT_RECORD_TOO_LARGE'
  readonly retryable = false
}

/** A record that is not taken for what is in it, such as its timestamp or a missing key; it can never be sent as it is. */
export class RecordRefusedError extends EvtError {
  readonly code = 'EVT_RECORD_REFUSED'
  readonly retryable = false
}

/** The topic does not exist. Topics are never created by publishing or consuming. */
export class UnknownTopicError extends EvtError {
  readonly code = 'EVT_UNKNOWN_TOPIC'
  readonly retryable = false
  readonly topic: string

  /** @param options.message for when more is to be said than that `topic` is missing */
  constructor(topic: string, options: EvtErrorOptions & { readonly message?: string } = {}) {
    super(
      options.message ??
        `topic "${topic}" does not exist; create it first (topics are never created by publishing or consuming)`,
      options,
    )
    this.topic = topic
  }
}

/** A topic is not as the contract says: too few partitions, for one. The message names the command that mends it. */
export class TopicMismatchError extends EvtError {
  readonly code = 'EVT_TOPIC_MISMATCH'
  readonly retryable = false
}

/** A plan for topics no longer fits the cluster: somebody changed what it looked at. Nothing was done; plan again. */
export class StaleTopicPlanError extends EvtError {
  readonly code = 'EVT_STALE_TOPIC_PLAN'
  readonly retryable = false
}

/** No acknowledgement within the delivery timeout. Whether the record was written is not known. */
export class SendTimeoutError extends EvtError {
  readonly code = 'EVT_SEND_TIMEOUT'
  readonly retryable = true
}

/** Not sent, because an earlier message of its key in the same call failed and would have been overtaken. */
export class HeldBackError extends EvtError {
  readonly code = 'EVT_HELD_BACK'
  readonly retryable = true
}

/** The broker cannot be reached or cannot serve at the moment. An outage, never the record's fault. */
export class BrokerUnavailableError extends EvtError {
  readonly code = 'EVT_BROKER_UNAVAILABLE'
  readonly retryable = true
}

/** The broker answered with a refusal that waiting will not change, such as a missing authorization. */
export class BrokerRefusedError extends EvtError {
  readonly code = 'EVT_BROKER_REFUSED'
  readonly retryable = false
}

/** Records between the committed offset and the log's start are gone; consuming would skip them without a word. */
export class HistoryGapError extends EvtError {
  readonly code = 'EVT_HISTORY_GAP'
  readonly retryable = false
  readonly topic: string
  readonly partition: number
  readonly committed: bigint
  readonly available: bigint

  constructor(gap: { topic: string; partition: number; committed: bigint; available: bigint; group: string }) {
    super(
      `group "${gap.group}" has committed offset ${gap.committed} of ${gap.topic}/${gap.partition}, but the log begins at ${gap.available}: ` +
        "the records between are gone (retention, deleted records or a recreated topic). Decide what to do with the gap, then set the group's offset.",
    )
    this.topic = gap.topic
    this.partition = gap.partition
    this.committed = gap.committed
    this.available = gap.available
  }
}

/**
 * A compressed batch of records cannot be unpacked: its codec is not there, or what it holds is broken or too large. Nothing
 * of it is skipped; its partition stops there until somebody has decided.
 */
export class UnreadableBatchError extends EvtError {
  readonly code = 'EVT_UNREADABLE_BATCH'
  readonly retryable = false
  readonly topic: string
  readonly partition: number
  /** Of the first record in the batch. */
  readonly offset: bigint

  constructor(
    batch: { readonly topic: string; readonly partition: number; readonly offset: bigint; readonly why: string },
    options: EvtErrorOptions = {},
  ) {
    super(
      `the batch at ${batch.topic}/${batch.partition}@${batch.offset} cannot be unpacked, and its partition waits there: ${batch.why}`,
      options,
    )
    this.topic = batch.topic
    this.partition = batch.partition
    this.offset = batch.offset
  }
}

/** The schema registry cannot be reached or cannot serve at the moment. An outage, never the record's fault. */
export class RegistryUnavailableError extends EvtError {
  readonly code = 'EVT_REGISTRY_UNAVAILABLE'
  readonly retryable = true
}

/** The schema registry answered with a refusal that waiting will not change. */
export class RegistryRefusedError extends EvtError {
  readonly code = 'EVT_REGISTRY_REFUSED'
  readonly retryable = false
  /** The registry's own number, such as 40401 for an unknown subject; the HTTP status when it gave none. */
  readonly errorCode: number

  constructor(message: string, errorCode: number, options: EvtErrorOptions = {}) {
    super(message, options)
    this.errorCode = errorCode
  }
}

/** The registry does not have the schema that is to be written with. Services look schemas up and never register them. */
export class SchemaNotRegisteredError extends EvtError {
  readonly code = 'EVT_SCHEMA_NOT_REGISTERED'
  readonly retryable = false
}

/** A document that is not a schema, or one that leans on names that are not there. */
export class InvalidSchemaError extends EvtError {
  readonly code = 'EVT_INVALID_SCHEMA'
  readonly retryable = false
}

/** Files of the contracts that cannot be read or contradict each other; the message names each file and place. */
export class InvalidContractError extends EvtError {
  readonly code = 'EVT_INVALID_CONTRACT'
  readonly retryable = false
}

/** The database cannot be reached or cannot serve at the moment. An outage, never the event's fault. */
export class DatabaseUnavailableError extends EvtError {
  readonly code = 'EVT_DATABASE_UNAVAILABLE'
  readonly retryable = true
}

/**
 * Something that a handler depends on is down. Thrown by a handler, or by what it calls, it is an outage: the consumer
 * pauses and probes, no attempt is counted, and nothing is set aside.
 *
 * @example
 * const answer = await fetch(url).catch((cause) => {
 *   throw new DependencyUnavailableError('payment provider', 'no answer', { cause })
 * })
 */
export class DependencyUnavailableError extends EvtError {
  readonly code = 'EVT_DEPENDENCY_UNAVAILABLE'
  readonly retryable = true
  /** Its name in logs and in the consumer's health. */
  readonly part: string

  constructor(part: string, message: string, options: EvtErrorOptions = {}) {
    super(message, options)
    this.part = part
  }
}

/** The database lacks tables that this version needs; running the migrations is what helps. */
export class SchemaNotMigratedError extends EvtError {
  readonly code = 'EVT_SCHEMA_NOT_MIGRATED'
  readonly retryable = false
}

/** Something other than an open transaction was passed where one is needed. */
export class NotATransactionError extends EvtError {
  readonly code = 'EVT_NOT_A_TRANSACTION'
  readonly retryable = false
}

/** A handler did not finish in time. Its signal was aborted and the record will be handed over again. */
export class HandlerDeadlineError extends EvtError {
  readonly code = 'EVT_HANDLER_DEADLINE'
  readonly retryable = true
}

/** Closing took longer than allowed; work was abandoned and will be delivered again. */
export class CloseDeadlineError extends EvtError {
  readonly code = 'EVT_CLOSE_DEADLINE'
  readonly retryable = false
}

/** The part was already closed when it was used. */
export class ClosedError extends EvtError {
  readonly code = 'EVT_CLOSED'
  readonly retryable = false
}
