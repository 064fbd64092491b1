/** The front door: the nouns of the language, one by one. */
export { Accumulator, type AccumulatorOptions } from './core/accumulator.ts'
export { type Backoff, backoffMs } from './core/backoff.ts'
export { type Clock, pause, systemClock, type Timer } from './core/clock.ts'
export { type Closable, type Closables, closeInOrder } from './core/close-in-order.ts'
export { type CloseOnSignalsOptions, closeOnSignals, type Ending } from './core/close-on-signals.ts'
export { asEnvelope, type Codec, type Encoded, jsonCodec } from './core/codec.ts'
export { type CodecPerTopicOptions, codecPerTopic } from './core/codec-per-topic.ts'
export { type Consumer, createConsumer } from './core/consumer.ts'
export type { ConsumerHealth } from './core/consumer-health.ts'
export type { ConsumerOptions } from './core/consumer-options.ts'
export type { Context } from './core/context.ts'
export type { Handler } from './core/dispatch.ts'
export type { Envelope } from './core/envelope.ts'
export {
  BrokerRefusedError,
  BrokerUnavailableError,
  CloseDeadlineError,
  ClosedError,
  DatabaseUnavailableError,
  DependencyUnavailableError,
  type ErrorCode,
  EvtError,
  errorCodes,
  HandlerDeadlineError,
  HeldBackError,
  HistoryGapError,
  InvalidConfigurationError,
  InvalidContractError,
  InvalidDefinitionError,
  InvalidEventError,
  InvalidRecordError,
  InvalidSchemaError,
  isEvtError,
  isRejection,
  isRetryable,
  NotATransactionError,
  RecordRefusedError,
  RecordTooLargeError,
  RegistryRefusedError,
  RegistryUnavailableError,
  RejectedRecordError,
  type SchemaIssue,
  SchemaNotMigratedError,
  SchemaNotRegisteredError,
  SendFailedError,
  type SendFailure,
  SendTimeoutError,
  StaleTopicPlanError,
  TopicMismatchError,
  UndecodableRecordError,
  UnknownEventError,
  UnknownSchemaError,
  UnknownTopicError,
  UnreadableBatchError,
} from './core/errors.ts'
export {
  defineEvent,
  type EventDefinition,
  type Fact,
  fact,
  type InputOf,
  type PublishingSchema,
  type Upcaster,
} from './core/event.ts'
export type {
  AfterGivingUp,
  FailedAttempt,
  FailedEvent,
  FailedEvents,
  FailedEventsHost,
  FailedEventsMember,
  RetryOutcome,
} from './core/failed-events.ts'
export type { HandlerOptions } from './core/handler-options.ts'
export { headerNames, headerText } from './core/headers.ts'
export { type NewId, newUuid } from './core/ids.ts'
export { consoleLogger, type Logger, silentLogger } from './core/logger.ts'
export type { Delivery, Header, RawMessage, Replay } from './core/message.ts'
export { partitionOf } from './core/murmur2.ts'
export type { Middleware, Next } from './core/pipeline.ts'
export { createProducer, type Producer, type ProducerOptions, type PublishOptions } from './core/producer.ts'
export type { RejectHandler, Rejection } from './core/rejection.ts'
export type { ErrorMatch, RetryPolicy } from './core/retry-policy.ts'
export { defineTopic, type NewTopic, type TopicCleanup, type TopicDefinition, type TopicDetails } from './core/topic.ts'
export type {
  Batch,
  GroupAdmin,
  PartitionOffsets,
  Seekable,
  Sender,
  Source,
  SourceStatus,
  SubscribeOptions,
  Subscription,
  TopicAdmin,
  TopicChanges,
  Transport,
  Verdict,
} from './core/transport.ts'
export { upcast, versionsOf } from './core/upcast.ts'
