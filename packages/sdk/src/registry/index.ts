/** The schema registry: its client, and the codec that writes with it. */

export { type AvroCodec, type AvroCodecOptions, createAvroCodec } from './avro-codec.ts'
export { envelopeRecord, subjectOf } from './envelope-record.ts'
export { type RegistryMode, registryModes, type SchemaReference } from './registry-answers.ts'
export {
  type CompatibilityVerdict,
  createRegistryClient,
  type LookupOptions,
  type RegistryClient,
  type RegistryClientOptions,
  type SchemaOptions,
  type SubjectVersion,
} from './registry-client.ts'
export type { RegistryAuth, RegistryTls } from './registry-http.ts'
export type { RegisteredSchema, SchemaLookup } from './schema-lookup.ts'
