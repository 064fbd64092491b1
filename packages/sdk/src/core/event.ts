import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Envelope } from './envelope.ts'
import { InvalidDefinitionError, type SchemaIssue } from './errors.ts'
import type { TopicDefinition } from './topic.ts'

/** The contract of one event: its name, version, topic, key and the schema of its data. */
export interface EventDefinition<Type extends string = string, Data = unknown> {
  readonly type: Type
  /** Such as `v1`. */
  readonly version: string
  readonly topic: TopicDefinition
  readonly schema: StandardSchemaV1<unknown, Data>
  /** The id of the entity the fact is about: facts with the same key stay in order. */
  key(data: Data): string
  /** Older versions that are read as this one; made by `upcast`. */
  readonly upcasters?: readonly Upcaster[]
}

/** How data of an older version becomes data of the next one. */
export interface Upcaster {
  readonly from: EventDefinition
  /** Must be pure: the same record may be read many times. */
  upcast(data: unknown, envelope: Envelope): unknown
}

/** Exists for the compiler alone. */
declare const checked: unique symbol

/**
 * A fact that is about to be published: an event and its data, checked against each other by the compiler. Only `fact`
 * makes one, since an object literal in a list of different facts would go unchecked.
 */
export interface Fact<Type extends string = string, Data = unknown> {
  readonly event: EventDefinition<Type, Data>
  readonly data: Data
  readonly [checked]: true
}

/**
 * What a schema puts out must be something it also takes in, since the consumer validates what the producer wrote.
 * A schema that turns a string into a `Date`, say, is refused here with this message as the missing property.
 */
type ReadsItsOwnOutput<Schema extends StandardSchemaV1> =
  StandardSchemaV1.InferOutput<Schema> extends StandardSchemaV1.InferInput<Schema>
    ? unknown
    : { readonly 'the output of this schema is not a valid input of it, so a published event could not be read': never }

const typeRule = /^[A-Z][A-Za-z0-9]{0,127}$/
const versionRule = /^v[1-9][0-9]{0,5}$/

/**
 * Defines an event over any Standard Schema (zod, valibot, arktype). The payload's type is inferred from the schema and
 * reaches publishers and handlers from here.
 *
 * @example
 * const OrderCreated = defineEvent({
 *   type: 'OrderCreated',
 *   topic: OrderEvents,
 *   schema: z.object({ orderId: z.string() }),
 *   key: (order) => order.orderId,
 * })
 *
 * @throws InvalidDefinitionError when the type is not a past-tense style PascalCase name or the version is not `v1`, `v2`, …
 */
export function defineEvent<const Type extends string, Schema extends StandardSchemaV1>(options: {
  type: Type
  /** @default 'v1' */
  version?: string
  topic: TopicDefinition
  schema: Schema & ReadsItsOwnOutput<Schema>
  key: (data: StandardSchemaV1.InferOutput<Schema>) => string
}): EventDefinition<Type, StandardSchemaV1.InferOutput<Schema>> {
  const { type, version = 'v1', topic, key } = options
  if (!typeRule.test(type))
    throw new InvalidDefinitionError(
      `event type ${JSON.stringify(type)} is not a PascalCase name of letters and digits, such as "OrderCreated"`,
    )
  if (!versionRule.test(version))
    throw new InvalidDefinitionError(`${type}: version ${JSON.stringify(version)} is not "v1", "v2", …`)
  // The schema's declared input type is forgotten here on purpose: whatever arrives is `unknown` until it has been validated.
  const schema = options.schema as StandardSchemaV1<unknown, StandardSchemaV1.InferOutput<Schema>>
  return Object.freeze({ type, version, topic, schema, key })
}

/** Pairs an event with its data, for publishing several different events at once. */
export function fact<Type extends string, Data>(
  event: EventDefinition<Type, Data>,
  data: NoInfer<Data>,
): Fact<Type, Data> {
  // The mark says that the types were compared here; there is nothing to it at run time.
  return { event, data } as Fact<Type, Data>
}

/** What a schema made of unknown data. */
export type Validated<Data> = { readonly data: Data } | { readonly issues: readonly SchemaIssue[] }

/** Checks unknown data against an event's schema; a promise only when the schema itself is asynchronous. */
export function validate<Data>(
  event: EventDefinition<string, Data>,
  data: unknown,
): Validated<Data> | Promise<Validated<Data>> {
  const result = event.schema['~standard'].validate(data)
  return result instanceof Promise ? result.then(toValidated) : toValidated(result)
}

function toValidated<Data>(result: StandardSchemaV1.Result<Data>): Validated<Data> {
  if (result.issues === undefined) return { data: result.value }
  return {
    issues: result.issues.map((issue) => ({
      path: (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.'),
      message: issue.message,
    })),
  }
}
