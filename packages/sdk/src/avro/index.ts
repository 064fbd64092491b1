/** Avro: schemas as a tree, what changes are safe, and data checked and carried by them. */

export { avroDecoder, avroEncoder } from './avro-binary.ts'
export type * from './avro-schema.ts'
export { type AvroStandardSchema, avroRecordOf, avroSchema, isAvroSchema } from './avro-standard-schema.ts'
export {
  checkCompatibility,
  type DataCondition,
  type Incompatibility,
  type IncompatibilityKind,
  rootCauses,
} from './compatibility.ts'
export { describeIncompatibility, describeType, type Sides } from './compatibility-message.ts'
export {
  type CompatibilityBreak,
  type CompatibilityMode,
  checkVersions,
  compatibilityModes,
  type SchemaVersion,
} from './compatibility-mode.ts'
export {
  isWrappedUnion,
  type JavaScriptKind,
  javaScriptKindOf,
  type LogicalForm,
  logicalFormOf,
} from './javascript-kind.ts'
export { type ParseAvroOptions, parseAvroSchema } from './parse-avro-schema.ts'
export { printAvroSchema } from './print-avro-schema.ts'
