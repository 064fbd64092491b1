/** Promises kept in a transaction, and the relay that carries them out. The door `@evtkit/sdk/outbox`. */
export type { Outbox } from './outbox.ts'
export { createOutbox, type OutboxOptions } from './postgres-outbox.ts'
export { outboxMigrations } from './postgres-outbox-migrations.ts'
export { createRelay, type RelayOptions } from './postgres-relay.ts'
export { outboxSetAside } from './postgres-set-aside.ts'
export type { Relay, RelayHealth, RelayStats } from './relay.ts'
export type { SetAside, SetAsideRow } from './set-aside.ts'
