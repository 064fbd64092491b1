/** The contracts as files: topics, events and consumers, language-neutral. */

export {
  type AsyncApiDocument,
  type AsyncApiOptions,
  type AsyncApiServer,
  asyncApiDocument,
} from './asyncapi-document.ts'
export { type ContractFiles, folderFiles } from './contract-files.ts'
export type { ConsumerContract, Contracts, EventContract, TopicContract } from './contracts.ts'
export { eventCatalogFiles } from './event-catalog-files.ts'
export { compareCatalog } from './event-catalog-folder.ts'
export { type GenerateOptions, generate } from './generate.ts'
export { type GeneratedFile, isGenerated } from './generated-file.ts'
export { applyGenerated, compareGenerated, type GeneratedChange } from './generated-folder.ts'
export { piiFields } from './pii-fields.ts'
export { readContracts } from './read-contracts.ts'
export { parseRetention, retentionText } from './retention.ts'
