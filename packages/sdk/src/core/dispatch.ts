import type { Codec } from './codec.ts'
import { type Context, DeliveryContext } from './context.ts'
import type { Envelope } from './envelope.ts'
import { InvalidConfigurationError, InvalidRecordError, UndecodableRecordError, UnknownEventError } from './errors.ts'
import { type EventDefinition, type Validated, validate } from './event.ts'
import { type HandlerOptions, memoryOf } from './handler-options.ts'
import { headerNames, headerText } from './headers.ts'
import { type UpcastStep, upcastPaths } from './upcast.ts'

/**
 * Handles one fact. It may return at once or a promise; what it throws makes the event come again.
 * `Extra` is what a wrapper such as the inbox adds to the context.
 */
export type Handler<Type extends string = string, Data = unknown, Extra = unknown> = (
  event: Envelope<Type, Data>,
  context: Context & Extra,
) => void | Promise<void>

interface Registration {
  /** The version that records are validated against as they arrive. */
  readonly event: EventDefinition
  /** What makes the handler's version of it, step by step; empty when it is that version. */
  readonly steps: readonly UpcastStep[]
  readonly handle: Handler
  readonly options: HandlerOptions
}

/**
 * The innermost step of consuming: decode, find the handler of the type and version, validate, call it.
 * Whatever cannot be read or is not known is a rejection.
 */
export class Dispatcher {
  readonly #codec: Codec
  readonly #handlers = new Map<string, Map<string, Registration>>()
  /** Types that are known and have no handler here: skipped without being decoded. */
  readonly #skipped = new Set<string>()
  readonly #known = new Set<string>()

  constructor(codec: Codec, catalogue: readonly EventDefinition[]) {
    this.#codec = codec
    for (const event of catalogue) {
      this.#known.add(event.type)
      this.#skipped.add(event.type)
    }
  }

  register<Type extends string, Data>(
    event: EventDefinition<Type, Data>,
    handler: Handler<Type, Data>,
    options: HandlerOptions,
  ): void {
    const versions = this.#handlers.get(event.type) ?? new Map<string, Registration>()
    const paths = upcastPaths(event)
    for (const path of paths)
      if (versions.has(path.from.version))
        throw new InvalidConfigurationError(
          `${event.type} ${path.from.version} already has a handler in this consumer${path.steps.length === 0 ? '' : ` and would also be read as ${event.version}`}; call both from one handler, or give one its own group`,
        )
    // Safe: the handler is only called with data that this very event's schema has validated.
    const handle = handler as Handler
    for (const { from, steps } of paths) versions.set(from.version, { event: from, steps, handle, options })
    this.#handlers.set(event.type, versions)
    this.#known.add(event.type)
    this.#skipped.delete(event.type)
  }

  get topics(): string[] {
    const names = new Set<string>()
    for (const versions of this.#handlers.values())
      for (const { event } of versions.values()) names.add(event.topic.name)
    return [...names].sort()
  }

  /** What is said about the handler of each event. */
  *handlings(): Iterable<{
    readonly event: EventDefinition
    readonly options: HandlerOptions
    readonly memoryMs: number
  }> {
    for (const versions of this.#handlers.values())
      for (const { event, options, handle } of versions.values()) yield { event, options, memoryMs: memoryOf(handle) }
  }

  dispatch(context: Context): void | Promise<void> {
    const { message } = context.delivery
    const announced = this.#skipped.size === 0 ? undefined : headerText(message, headerNames.eventType)
    if (announced !== undefined && this.#skipped.has(announced)) return
    if (message.value === null)
      throw new UndecodableRecordError('expected an event envelope, got a null value (a tombstone)')
    const envelope = this.#codec.decode(message)
    return envelope instanceof Promise
      ? envelope.then((decoded) => this.#deliver(decoded, context))
      : this.#deliver(envelope, context)
  }

  #deliver(envelope: Envelope, context: Context): void | Promise<void> {
    const registration = this.#handlers.get(envelope.eventType)?.get(envelope.eventVersion)
    if (registration === undefined) {
      if (this.#skipped.has(envelope.eventType)) return
      throw this.#unknown(envelope, context)
    }
    if (context instanceof DeliveryContext) context.handling = registration.options
    const validated = validate(registration.event, envelope.data)
    return validated instanceof Promise
      ? validated.then((result) => handOver(registration, 0, envelope, result, context))
      : handOver(registration, 0, envelope, validated, context)
  }

  #unknown(envelope: Envelope, context: Context): UnknownEventError {
    const what = `${envelope.eventType} ${envelope.eventVersion}`
    const versions = this.#handlers.get(envelope.eventType)
    return new UnknownEventError(
      versions !== undefined
        ? `${what} arrived, but group "${context.group}" handles only ${[...versions.keys()].join(', ')} of it; add a handler for ${envelope.eventVersion}`
        : `${what} is not known to group "${context.group}"; add a handler, or list its definition in the consumer's catalogue to have it skipped`,
    )
  }
}

function handOver(
  registration: Registration,
  step: number,
  envelope: Envelope,
  result: Validated<unknown>,
  context: Context,
): void | Promise<void> {
  const { steps, handle } = registration
  const read = steps[step - 1]?.into ?? registration.event
  if ('issues' in result) throw new InvalidRecordError(`${read.type} ${read.version}`, result.issues)
  const valid = result.data === envelope.data ? envelope : { ...envelope, data: result.data }
  const next = steps[step]
  if (next === undefined) return handle(valid, context)
  const upcast = next.apply(valid)
  const validated = validate(next.into, upcast.data)
  return validated instanceof Promise
    ? validated.then((later) => handOver(registration, step + 1, upcast, later, context))
    : handOver(registration, step + 1, upcast, validated, context)
}
