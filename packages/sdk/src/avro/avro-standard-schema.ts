import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InvalidSchemaError } from '../core/errors.ts'
import type { EventDefinition, PublishingSchema } from '../core/event.ts'
import type { AvroRecord } from './avro-schema.ts'
import { type Audience, compileCheck } from './compile-check.ts'
import { type ParseAvroOptions, parseAvroSchema } from './parse-avro-schema.ts'
import { type Check, invalid, ValidationTrail } from './validation-trail.ts'

/** A Standard Schema that was made of an Avro record, and still knows it. */
export interface AvroStandardSchema<Data, Input = Data> extends PublishingSchema<Input, Data> {
  readonly avro: AvroRecord
}

/**
 * A Standard Schema of an Avro record, for `defineEvent`: data is checked against the record as it looks in JavaScript (see the
 * guide on contracts), whichever codec carries it. Valid data comes out as it is, but for what Avro itself does: fields that the
 * record does not know are left out, missing ones get their default, an unknown symbol is read as the enum's default. The
 * forms that JSON gives values, such as ISO text for a Date, are read back.
 *
 * Data that is published is completed in the same way, so `Input` may leave fields with a default out. An unknown symbol is
 * refused there: somebody newer may have written one, but nobody may write one that the enum does not have.
 *
 * Text comes first in a union of text with a bigint, timestamp or bytes: carried as JSON, where all of them are text, such a
 * value is read as text. The contracts in files refuse such unions.
 *
 * The types are said by whoever calls, usually by generated code: nothing here can see them in the document.
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
export function avroSchema<Data, Input = Data>(
  document: unknown,
  options: ParseAvroOptions = {},
): AvroStandardSchema<Data, Input> {
  const avro = parseAvroSchema(document, options)
  if (avro.kind !== 'record')
    throw new InvalidSchemaError(`${options.title ?? 'schema'}: an event's data is a record, this is a ${avro.kind}`)
  return Object.freeze({
    avro,
    validatePublished: validator<Data>(avro, 'publisher'),
    '~standard': { version: 1, vendor: 'evtkit', validate: validator<Data>(avro, 'reader') },
  } as const)
}

function validator<Data>(avro: AvroRecord, audience: Audience) {
  // A reader's is made at once, since it finds what is wrong with defaults; few services publish each event that they know.
  let check: Check | undefined = audience === 'reader' ? compileCheck(avro, audience) : undefined
  return (value: unknown): StandardSchemaV1.Result<Data> => {
    check ??= compileCheck(avro, audience)
    const result = check(value, 0, undefined)
    // Safe: the caller says that the document's values are of this type.
    if (result !== invalid) return { value: result as Data }
    // Looked at a second time, because keeping track of where one is costs more than valid data should pay.
    const trail = new ValidationTrail()
    check(value, 0, trail)
    return { issues: trail.issues }
  }
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
