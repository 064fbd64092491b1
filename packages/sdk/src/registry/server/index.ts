/** A small schema registry for development, tests and programs that want Avro in one process. The door `@evtkit/sdk/registry/server`. */
export { createMemoryRegistryStore } from './memory-registry-store.ts'
export { registryMigrations } from './postgres-registry-migrations.ts'
export { createPostgresRegistryStore } from './postgres-registry-store.ts'
export { createRegistryServer, type RegistryServer, type RegistryServerOptions } from './registry-server.ts'
export type {
  RegistryRecords,
  RegistrySettings,
  RegistryStore,
  StoredSchema,
  StoredVersion,
} from './registry-store.ts'
export { createSchemaRegistry, type SchemaRegistry, type SchemaRegistryOptions } from './schema-registry.ts'
