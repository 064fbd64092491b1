import type { Codec } from './codec.ts'
import type { Context } from './context.ts'
import type { Envelope } from './envelope.ts'
import { InvalidConfigurationError, InvalidRecordError, UndecodableRecordError, UnknownEventError } from './errors.ts'
import { type EventDefinition, type Validated, validate } from './event.ts'
import { headerNames, headerText } from './headers.ts'

/**
 * Handles one fact. It may return at once or a promise; what it throws makes the event come again.
 * `Extra` is what a wrapper such as the inbox adds to the context.
 */
export type Handler<Type extends string = string, Data = unknown, Extra = unknown> = (
  event: Envelope<Type, Data>,
  context: Context & Extra,
) => void | Promise<void>

interface Registration {
  readonly event: EventDefinition
  readonly handle: Handler
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

  register<Type extends string, Data>(event: EventDefinition<Type, Data>, handler: Handler<Type, Data>): void {
    const versions = this.#handlers.get(event.type) ?? new Map<string, Registration>()
    if (versions.has(event.version))
      throw new InvalidConfigurationError(
        `${event.type} ${event.version} already has a handler in this consumer; call both from one handler, or give one its own group`,
      )
    // Safe: the handler is only called with data that this very event's schema has validated.
    versions.set(event.version, { event, handle: handler as Handler })
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
    const validated = validate(registration.event, envelope.data)
    return validated instanceof Promise
      ? validated.then((result) => handOver(registration, envelope, result, context))
      : handOver(registration, envelope, validated, context)
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
  { event, handle }: Registration,
  envelope: Envelope,
  result: Validated<unknown>,
  context: Context,
): void | Promise<void> {
  if ('issues' in result) throw new InvalidRecordError(event.type, result.issues)
  return handle(result.data === envelope.data ? envelope : { ...envelope, data: result.data }, context)
}
