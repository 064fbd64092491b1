/** Records set aside for a human. The door `@evtkit/sdk/dead-letters`. */
export { rejectedMigrations } from './postgres-rejected-migrations.ts'
export { type ListRejectedOptions, listRejected, rejectedStore } from './postgres-rejected-store.ts'
export type { RejectedRecord } from './rejected.ts'
