/** Avro: schemas as a tree, what changes are safe, and data checked and carried by them. */
export type * from './avro-schema.ts'
export { type ParseAvroOptions, parseAvroSchema } from './parse-avro-schema.ts'
export { printAvroSchema } from './print-avro-schema.ts'
