/** PostgreSQL: statements, transactions and migrations. The door `@evtkit/sdk/postgres`. */
export type { AdvisoryLocks } from './advisory-locks.ts'
export { type ForeignTx, type PgClient, transactionOf } from './foreign-transaction.ts'
export {
  checkMigrated,
  defineMigrations,
  type MigrationStatus,
  type MigrationStep,
  type Migrations,
  migrate,
  migrationStatus,
} from './migrations.ts'
export { createPostgres, type PostgresOptions } from './postgres-sql.ts'
export type { Queryable, QueryResult, Row } from './queryable.ts'
export type { Session, SessionOptions, Sql, TransactionOptions } from './sql.ts'
export { isConflict, sqlState } from './sql-errors.ts'
export { inTransaction, isTransaction, type Tx } from './tx.ts'
