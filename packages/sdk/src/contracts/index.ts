/** The contracts as files: topics, events and consumers, language-neutral. */
export type { ConsumerContract, Contracts, EventContract, TopicContract } from './contracts.ts'
