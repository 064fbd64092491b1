/** What kafkajs throws, as the errors of this SDK. Decided here and nowhere else, from types, codes and names. */
import {
  BrokerRefusedError,
  BrokerUnavailableError,
  type EvtError,
  isEvtError,
  RecordRefusedError,
  RecordTooLargeError,
  UnknownTopicError,
} from '../core/errors.ts'

/** One batch or record exceeds what the broker or the topic takes. */
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])

/** No such topic, or a name that no topic can have. */
const unknownTopic = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'])

/** The record itself is not taken: a timestamp outside what the topic allows, or a key missing from a compacted topic. */
const refusedRecord = new Set(['INVALID_RECORD', 'INVALID_TIMESTAMP'])

/** The broker understood and said no; only a person can change that. */
const refused = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'SECURITY_DISABLED',
  'POLICY_VIOLATION',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'INVALID_SESSION_TIMEOUT',
  'INVALID_GROUP_ID',
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_MAX_SIZE_REACHED',
  'NON_EMPTY_GROUP',
  'UNSUPPORTED_VERSION',
  'TOPIC_DELETION_DISABLED',
])

/** Certificates that do not fit do not begin to fit by waiting. */
const refusedTls = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** The group goes on without this member, or is about to hand out its partitions anew. */
const membershipLost = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'FENCED_INSTANCE_ID',
])

interface Known {
  readonly name: string
  readonly message: string
  readonly type: string
  readonly code: string
}

/** The error of this SDK for something kafkajs threw; `topic` is the one that was asked for, if it was one. */
export function classify(thrown: unknown, topic?: string): EvtError {
  const cause = rootOf(thrown)
  if (isEvtError(cause)) return cause
  const { name, message, type, code } = describe(cause)
  const options = { cause }
  if (tooLarge.has(type))
    return new RecordTooLargeError(`the broker does not take a record of this size (${type})`, options)
  if (unknownTopic.has(type)) return new UnknownTopicError(topic ?? 'unknown', options)
  if (refusedRecord.has(type))
    return new RecordRefusedError(`the broker refused a record: ${message} (${type})`, options)
  if (refused.has(type)) return new BrokerRefusedError(`the broker refused: ${message} (${type})`, options)
  if (name === 'KafkaJSSASLAuthenticationError')
    return new BrokerRefusedError('the broker refused the credentials (SASL authentication failed)', options)
  if (refusedTls.has(code))
    return new BrokerRefusedError(`the broker's certificate was not accepted (${code}); check the ssl options`, options)
  // Everything else may pass: connections, timeouts, elections, and states of a client that the next instance does not share.
  return new BrokerUnavailableError(`the broker is not available: ${message} (${type || code || name})`, options)
}

/** Whether an error of a commit or heartbeat means that the assignment is void. */
export function isMembershipLost(thrown: unknown): boolean {
  return membershipLost.has(describe(rootOf(thrown)).type)
}

/** Whether the broker says that something is there already. */
export function isAlreadyThere(thrown: unknown): boolean {
  return describe(rootOf(thrown)).type === 'TOPIC_ALREADY_EXISTS'
}

/** kafkajs wraps what happened in what it did about it, sometimes more than once. */
function rootOf(thrown: unknown): unknown {
  let error = thrown
  for (let depth = 0; depth < 10; depth++) {
    if (typeof error !== 'object' || error === null || isEvtError(error)) return error
    if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) error = error.errors[0]
    else if ('cause' in error && error.cause !== undefined && error.cause !== null) error = error.cause
    else return error
  }
  return error
}

function describe(error: unknown): Known {
  if (typeof error !== 'object' || error === null) return { name: '', message: String(error), type: '', code: '' }
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    name: 'name' in error ? text(error.name) : '',
    message: 'message' in error ? text(error.message) : '',
    type: 'type' in error ? text(error.type) : '',
    code: 'code' in error ? text(error.code) : '',
  }
}
