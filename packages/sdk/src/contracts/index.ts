/** The contracts as files: topics, events and consumers, language-neutral. */

export { type ContractFiles, folderFiles } from './contract-files.ts'
export type { ConsumerContract, Contracts, EventContract, TopicContract } from './contracts.ts'
export { type GenerateOptions, generate } from './generate.ts'
export { type GeneratedFile, isGenerated } from './generated-file.ts'
export { readContracts } from './read-contracts.ts'
export { parseRetention, retentionText } from './retention.ts'
