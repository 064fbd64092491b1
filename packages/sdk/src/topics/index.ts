/** Topics as a plan: what the contracts want, what the cluster has, and what is to be done about it. */
export { type ApplyTopicPlanOptions, applyTopicPlan } from './apply-topic-plan.ts'
export { parseTopicPlan } from './parse-topic-plan.ts'
export { type PlanTopicsOptions, planTopics } from './plan-topics.ts'
export { isSettled, type TopicDifference, type TopicPlan, type TopicStep } from './topic-plan.ts'
export { verifyTopics } from './verify-topics.ts'
export type { TopicSetup, WantedTopic } from './wanted-topic.ts'
