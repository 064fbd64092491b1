/** What was already done is not done again. The door `@evtkit/sdk/inbox`. */
export type { Duplicate, Inbox, InboxStats, OnceOptions } from './inbox.ts'
export { createInbox, type InboxOptions } from './postgres-inbox.ts'
export { inboxMigrations } from './postgres-inbox-migrations.ts'
