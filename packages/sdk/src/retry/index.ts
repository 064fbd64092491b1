/** Again, without a database: topics in which failed events wait, and dead letters in a topic of their group. The door `@evtkit/sdk/retry`. */
export type { DeadLetter } from './dead-letter.ts'
export type { DeadLetterFilter } from './dead-letter-filter.ts'
export type { DeadLetterKind, DeadLetterOperation } from './dead-letter-record.ts'
export type { LeftAlone } from './dead-letter-run.ts'
export { type DeadLetterTopicOptions, deadLetterTopic } from './dead-letter-topic.ts'
export {
  type DeadLetterPlan,
  type DeadLetterResult,
  type DeadLetterTopic,
  type OnBehalf,
  type OpenDeadLetterTopicOptions,
  openDeadLetterTopic,
} from './dead-letters.ts'
export {
  deadLetterTopicDefinition,
  deadLetterTopicName,
  type RetryTopicSettings,
  retryTopicDefinitions,
  retryTopicName,
} from './retry-topic-names.ts'
export { createRetryTopics, type RetryTopicsOptions } from './retry-topics.ts'
export type { Redriven } from './returned-event.ts'
