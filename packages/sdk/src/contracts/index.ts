/** The contracts as files: topics, events and consumers, language-neutral. */

export {
  type AsyncApiDocument,
  type AsyncApiOptions,
  type AsyncApiServer,
  asyncApiDocument,
} from './asyncapi-document.ts'
export {
  type CheckContractsOptions,
  type CheckedEvent,
  type ContractsCheck,
  checkContracts,
} from './check-contracts.ts'
export { type ContractFiles, folderFiles } from './contract-files.ts'
export type { ContractFinding } from './contract-finding.ts'
export type { ConsumerContract, ContractRemark, Contracts, EventContract, TopicContract } from './contracts.ts'
export { type DataVersion, type DefiningFile, type EarlierContracts, eventKey } from './earlier-contracts.ts'
export { earlierInFiles } from './earlier-in-files.ts'
export { earlierInRegistry, type RegistryVersions } from './earlier-in-registry.ts'
export { eventCatalogFiles } from './event-catalog-files.ts'
export { compareCatalog } from './event-catalog-folder.ts'
export { type GenerateOptions, generate } from './generate.ts'
export { type GeneratedFile, isGenerated } from './generated-file.ts'
export { applyGenerated, compareGenerated, type GeneratedChange } from './generated-folder.ts'
export { gitFiles, usualBase } from './git-files.ts'
export { earlierInGit, type GitHistoryOptions } from './git-history.ts'
export { readNeverWritten } from './never-written-file.ts'
export { piiFields } from './pii-fields.ts'
export {
  findRegistered,
  type PushedSchema,
  type PushRegistry,
  type PushResult,
  type PushSchemasOptions,
  pushSchemas,
  subjectAndDocument,
} from './push-schemas.ts'
export { readContracts } from './read-contracts.ts'
export { parseRetention, retentionText } from './retention.ts'
export { diffRecords, type FieldChange } from './schema-diff.ts'
