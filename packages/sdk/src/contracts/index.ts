/** The contracts as files: topics, events and consumers, language-neutral. */

export { type ContractFiles, folderFiles } from './contract-files.ts'
export type { ConsumerContract, Contracts, EventContract, TopicContract } from './contracts.ts'
export { readContracts } from './read-contracts.ts'
export { parseRetention, retentionText } from './retention.ts'
