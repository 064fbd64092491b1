import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Envelope } from './envelope.ts'
import { InvalidDefinitionError, type SchemaIssue } from './errors.ts'
import type { TopicDefinition } from './topic.ts'

/** Exists for the compiler alone. */
declare const input: unique symbol

/** Of data that nothing is known of, nothing can be said to be fit for publishing. */
type SameInput<Data> = unknown extends Data ? never : Data

/**
 * The contract of one event: its name, version, topic, key and the schema of its data. `Data` is what readers are given;
 * `Input` is what a publisher gives, where a schema fills in what may be left out: a function that publishes whatever event
 * it is given names all three.
 */
export interface EventDefinition<Type extends string = string, Data = unknown, Input = SameInput<Data>> {
  readonly type: Type
  /** Such as `v1`. */
  readonly version: string
  readonly topic: TopicDefinition
  readonly schema: StandardSchemaV1<unknown, Data>
  /** The id of the entity the fact is about: facts with the same key stay in order. */
  key(data: Data): string
  /** Older versions that are read as this one; made by `upcast`. */
  readonly upcasters?: readonly Upcaster[]
  /** Never there: what may be published, for the compiler. */
  readonly [input]?: (given: Input) => void
}

/** What a publisher of an event gives: `InputOf<typeof OrderCreated>`. Fields that the schema fills in may be left out. */
export type InputOf<Definition extends EventDefinition> =
  Definition extends EventDefinition<string, infer _Data, infer Input> ? Input : never

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
export interface Fact<Type extends string = string, Data = unknown, Input = Data> {
  readonly event: EventDefinition<Type, Data, never>
  readonly data: Input
  readonly [checked]: true
}

/**
 * A schema that looks at data that is about to be published by itself: it fills in what may be left out, as it does on
 * reading, but bears nothing that only a reader must bear, such as a symbol that somebody newer has written.
 */
export interface PublishingSchema<Input, Data> extends StandardSchemaV1<Input, Data> {
  validatePublished(value: unknown): StandardSchemaV1.Result<Data>
}

/** What may be published: what the schema says to take in where it completes that, and what it puts out where nobody knows. */
type PublishedBy<Schema extends StandardSchemaV1> =
  Schema extends PublishingSchema<infer Input, infer _Data> ? Input : StandardSchemaV1.InferOutput<Schema>

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
}): EventDefinition<Type, StandardSchemaV1.InferOutput<Schema>, PublishedBy<Schema>> {
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
export function fact<Type extends string, Data, Input>(
  event: EventDefinition<Type, Data, Input>,
  data: NoInfer<Input>,
): Fact<Type, Data, Input> {
  // Safe: the mark says that the types were compared here; there is nothing to it at run time.
  return { event, data } as unknown as Fact<Type, Data, Input>
}

/** What a schema made of unknown data. */
export type Validated<Data> = { readonly data: Data } | { readonly issues: readonly SchemaIssue[] }

/** Checks unknown data against an event's schema; a promise only when the schema itself is asynchronous. */
export function validate<Data>(
  { schema }: EventDefinition<string, Data, never>,
  data: unknown,
): Validated<Data> | Promise<Validated<Data>> {
  const result = schema['~standard'].validate(data)
  return result instanceof Promise ? result.then(toValidated) : toValidated(result)
}

/** The same for data that is about to be published. */
export function validatePublished<Data>(
  event: EventDefinition<string, Data, never>,
  data: unknown,
): Validated<Data> | Promise<Validated<Data>> {
  const { schema } = event
  return looksAtPublished(schema) ? toValidated(schema.validatePublished(data)) : validate(event, data)
}

function looksAtPublished<Data>(schema: StandardSchemaV1<unknown, Data>): schema is PublishingSchema<unknown, Data> {
  return 'validatePublished' in schema && typeof schema.validatePublished === 'function'
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
