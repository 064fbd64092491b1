/** The schema registry: its client, and the codec that writes with it. */

export { envelopeRecord, subjectOf } from './envelope-record.ts'
export type { RegisteredSchema, SchemaLookup } from './schema-lookup.ts'
