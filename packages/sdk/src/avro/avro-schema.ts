/** Avro's schemas as a tree whose names are resolved: what everything about Avro works on. */

export const primitiveKinds = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
export type AvroPrimitiveKind = (typeof primitiveKinds)[number]

/** What a schema says besides what Avro reads, such as `pii`; never `type`, `name` and the like. */
export type AvroAttributes = Readonly<Record<string, unknown>>

interface AvroLogical {
  /** Such as `timestamp-millis`; an unknown one is kept, and means nothing. */
  readonly logicalType?: string
  /** Of `decimal`. */
  readonly precision?: number
  /** Of `decimal`. */
  readonly scale?: number
}

export interface AvroPrimitive extends AvroLogical {
  readonly kind: AvroPrimitiveKind
  readonly attributes: AvroAttributes
}

export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  readonly type: AvroSchema
  /** In the JSON form that Avro gives defaults; `undefined` when there is none. */
  readonly default: { readonly value: unknown } | undefined
  readonly attributes: AvroAttributes
}

export interface AvroRecord {
  readonly kind: 'record'
  /** With its namespace. */
  readonly name: string
  /** With their namespaces. */
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  /** A record may hold itself, by way of a union, an array or a map. */
  readonly fields: readonly AvroField[]
  readonly attributes: AvroAttributes
}

export interface AvroEnum {
  readonly kind: 'enum'
  readonly name: string
  readonly aliases: readonly string[]
  readonly doc: string | undefined
  readonly symbols: readonly string[]
  /** What a reader makes of a symbol it does not know. */
  readonly default: string | undefined
  readonly attributes: AvroAttributes
}

export interface AvroFixed extends AvroLogical {
  readonly kind: 'fixed'
  readonly name: string
  readonly aliases: readonly string[]
  /** Bytes. */
  readonly size: number
  readonly attributes: AvroAttributes
}

export interface AvroArray {
  readonly kind: 'array'
  readonly items: AvroSchema
  readonly attributes: AvroAttributes
}

export interface AvroMap {
  readonly kind: 'map'
  readonly values: AvroSchema
  readonly attributes: AvroAttributes
}

export interface AvroUnion {
  readonly kind: 'union'
  readonly branches: readonly AvroSchema[]
}

export type AvroNamed = AvroRecord | AvroEnum | AvroFixed
export type AvroSchema = AvroPrimitive | AvroNamed | AvroArray | AvroMap | AvroUnion

export function isNamed(schema: AvroSchema): schema is AvroNamed {
  return schema.kind === 'record' || schema.kind === 'enum' || schema.kind === 'fixed'
}

/** The name as it stands in a message: a full name, or the kind. */
export function nameOf(schema: AvroSchema): string {
  return isNamed(schema) ? schema.name : schema.kind
}

/** `order.lines[].price`: where in a schema something is. */
export type AvroPath = string
