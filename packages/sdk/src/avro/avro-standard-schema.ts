import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidSchemaError } from '../core/errors.ts'
import type { EventDefinition } from '../core/event.ts'
import type { AvroRecord } from './avro-schema.ts'
import { compileCheck } from './compile-check.ts'
import { type ParseAvroOptions, parseAvroSchema } from './parse-avro-schema.ts'
import { invalid, ValidationTrail } from './validation-trail.ts'

/** A Standard Schema that was made of an Avro record, and still knows it. */
export interface AvroStandardSchema<Data> extends StandardSchemaV1<Data, Data> {
  readonly avro: AvroRecord
}

/**
 * A Standard Schema of an Avro record, for `defineEvent`: data is checked against the record as it looks in JavaScript (see the
 * guide on contracts), whichever codec carries it. Valid data comes out as it is, but for what Avro itself does: fields that the
 * record does not know are left out, missing ones get their default, an unknown symbol becomes the enum's default. The
 * forms that JSON gives values, such as ISO text for a Date, are read back.
 *
 * Publishing and reading are validated alike, so beware of two things. A producer's unknown symbol is published as the enum's
 * default as well; the type of the data is what keeps typing errors out. And text comes first in a union of text with a
 * bigint, timestamp or bytes: carried as JSON, where all of them are text, such a value is read as text. Carry those as Avro.
 *
 * The type of the data is said by whoever calls, usually by generated code: nothing here can see it in the document.
 *
 * @example
 * const OrderCreated = defineEvent({
 *   type: 'OrderCreated',
 *   topic: OrderEvents,
 *   schema: avroSchema<{ readonly orderId: string }>({
 *     type: 'record',
 *     name: 'shop.orders.v1.OrderCreated',
 *     fields: [{ name: 'orderId', type: 'string' }],
 *   }),
 *   key: (order) => order.orderId,
 * })
 *
 * @param document the parsed JSON of a record.
 * @throws InvalidSchemaError when the document is no Avro schema, or not one of a record.
 */
export function avroSchema<Data>(document: unknown, options: ParseAvroOptions = {}): AvroStandardSchema<Data> {
  const avro = parseAvroSchema(document, options)
  if (avro.kind !== 'record')
    throw new InvalidSchemaError(`${options.title ?? 'schema'}: an event's data is a record, this is a ${avro.kind}`)
  const check = compileCheck(avro)
  return Object.freeze({
    avro,
    '~standard': {
      version: 1,
      vendor: 'evtkit',
      validate(value: unknown): StandardSchemaV1.Result<Data> {
        const result = check(value, 0, undefined)
        // Safe: the caller says that the document's values are of this type.
        if (result !== invalid) return { value: result as Data }
        // Looked at a second time, because keeping track of where one is costs more than valid data should pay.
        const trail = new ValidationTrail()
        check(value, 0, trail)
        return { issues: trail.issues }
      },
    },
  } as const)
}

/** Whether a schema was made by `avroSchema`, by whichever copy of the package. */
export function isAvroSchema(schema: StandardSchemaV1): schema is AvroStandardSchema<unknown> {
  if (!('avro' in schema) || schema['~standard'].vendor !== 'evtkit') return false
  const { avro } = schema
  return typeof avro === 'object' && avro !== null && 'kind' in avro && avro.kind === 'record'
}

/** The Avro record of an event's data; `undefined` when the event is defined by another kind of schema. */
export function avroRecordOf(event: EventDefinition): AvroRecord | undefined {
  return isAvroSchema(event.schema) ? event.schema.avro : undefined
}
