/** Again, without a database: topics in which failed events wait, and dead letters in a topic of their group. The door `@evtkit/sdk/retry`. */
export { type DeadLetterTopicOptions, deadLetterTopic } from './dead-letter-topic.ts'
export {
  deadLetterTopicDefinition,
  deadLetterTopicName,
  type RetryTopicSettings,
  retryTopicDefinitions,
  retryTopicName,
} from './retry-topic-names.ts'
export { createRetryTopics, type RetryTopicsOptions } from './retry-topics.ts'
