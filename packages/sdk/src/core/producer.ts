import { type Clock, systemClock } from './clock.ts'
import { type Codec, type Encoded, jsonCodec } from './codec.ts'
import type { Envelope } from './envelope.ts'
import { InvalidConfigurationError, InvalidEventError } from './errors.ts'
import { type EventDefinition, type Fact, validatePublished } from './event.ts'
import { envelopeHeaders } from './headers.ts'
import { type NewId, newUuid } from './ids.ts'
import type { Header, RawMessage } from './message.ts'
import type { Sender } from './transport.ts'

/** What may be said about a fact besides its data. */
export interface PublishOptions {
  /** The request's id. Taken from the cause when there is one. @default the event's own id */
  readonly correlationId?: string
  /** Added to, and winning over, the metadata of the cause. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** The typed edge for publishing facts. Deriving one with `through` or `causedBy` is cheap and leaves the original as it is. */
export interface Producer {
  /**
   * Publishes one fact. Resolves with its envelope once the sender calls it durable; its data has what the schema filled in.
   *
   * @throws InvalidEventError when the data does not match the definition; nothing was sent.
   * @throws SendFailedError when the sender did not get it acknowledged.
   */
  publish<Type extends string, Data, Input>(
    event: EventDefinition<Type, Data, Input>,
    data: NoInfer<Input>,
    options?: PublishOptions,
  ): Promise<Envelope<Type, Data>>
  /**
   * Publishes several facts in one send, in order. All are validated before the first leaves.
   *
   * @example
   * await producer.publishAll([fact(OrderConfirmed, order), fact(StockPicked, pick)])
   */
  publishAll(facts: readonly Fact[], options?: PublishOptions): Promise<Envelope[]>
  /** The same producer, sending through another sender, such as an outbox bound to a transaction. */
  through(sender: Sender): Producer
  /** The same producer, publishing facts that follow from `cause`: its correlation id and metadata are taken over. */
  causedBy(cause: Envelope): Producer
}

export interface ProducerOptions {
  readonly sender: Sender
  /** Name of the service, written into every envelope. */
  readonly source: string
  /** How facts become bytes; `codecPerTopic` chooses by topic. @default jsonCodec */
  readonly codec?: Codec
  readonly clock?: Clock
  readonly newId?: NewId
}

/**
 * Creates a producer.
 *
 * @example
 * const producer = createProducer({ sender: broker, source: 'order-service' })
 * await producer.publish(OrderCreated, { orderId: 'o-1' })
 *
 * @throws InvalidConfigurationError when the source has no name.
 */
export function createProducer(options: ProducerOptions): Producer {
  if (options.source === '')
    throw new InvalidConfigurationError('a producer needs a source: the name of its service, got ""')
  const { sender, source, codec = jsonCodec, clock = systemClock, newId = newUuid } = options
  return new TypedProducer({ source, codec, clock, newId }, sender, null)
}

interface Settings {
  readonly source: string
  readonly codec: Codec
  readonly clock: Clock
  readonly newId: NewId
}

class TypedProducer implements Producer {
  readonly #settings: Settings
  readonly #sender: Sender
  readonly #cause: Envelope | null

  constructor(settings: Settings, sender: Sender, cause: Envelope | null) {
    this.#settings = settings
    this.#sender = sender
    this.#cause = cause
  }

  async publish<Type extends string, Data, Input>(
    event: EventDefinition<Type, Data, Input>,
    data: NoInfer<Input>,
    options: PublishOptions = {},
  ): Promise<Envelope<Type, Data>> {
    // Awaited only where something is a promise: each needless turn is one in which a later call could overtake this one.
    const valid = this.#valid(event, data)
    const envelope = this.#envelope(event, valid instanceof Promise ? await valid : valid, options)
    const message = this.#message(event, envelope)
    await this.#sender.send([message instanceof Promise ? await message : message])
    return envelope
  }

  async publishAll(facts: readonly Fact[], options: PublishOptions = {}): Promise<Envelope[]> {
    const valid: unknown[] = []
    for (const { event, data } of facts) {
      const one = this.#valid(event, data)
      valid.push(one instanceof Promise ? await one : one)
    }
    const envelopes = facts.map(({ event }, i) => this.#envelope(event, valid[i], options))
    const messages: RawMessage[] = []
    for (const [i, { event }] of facts.entries()) {
      const envelope = envelopes[i]
      if (envelope === undefined) continue
      const message = this.#message(event, envelope)
      messages.push(message instanceof Promise ? await message : message)
    }
    if (messages.length > 0) await this.#sender.send(messages)
    return envelopes
  }

  through(sender: Sender): Producer {
    return new TypedProducer(this.#settings, sender, this.#cause)
  }

  causedBy(cause: Envelope): Producer {
    return new TypedProducer(this.#settings, this.#sender, cause)
  }

  #valid<Data>(event: EventDefinition<string, Data, never>, data: unknown): Data | Promise<Data> {
    const result = validatePublished(event, data)
    return result instanceof Promise ? result.then((later) => accept(event, later)) : accept(event, result)
  }

  #envelope<Type extends string, Data>(
    event: EventDefinition<Type, Data, never>,
    data: Data,
    options: PublishOptions,
  ): Envelope<Type, Data> {
    const { source, clock, newId } = this.#settings
    const cause = this.#cause
    const eventId = newId()
    return {
      eventId,
      eventType: event.type,
      eventVersion: event.version,
      timestamp: new Date(clock.now()).toISOString(),
      source,
      correlationId: cause?.correlationId ?? options.correlationId ?? eventId,
      causationId: cause?.eventId ?? null,
      data,
      metadata: { ...cause?.metadata, ...options.metadata },
    }
  }

  #message(event: EventDefinition, envelope: Envelope): RawMessage | Promise<RawMessage> {
    const encoded = this.#settings.codec.encode(event, envelope)
    return encoded instanceof Promise
      ? encoded.then((later) => assemble(event, envelope, later))
      : assemble(event, envelope, encoded)
  }
}

function assemble(event: EventDefinition, envelope: Envelope, encoded: Encoded): RawMessage {
  const key = event.key(envelope.data)
  if (typeof key !== 'string' || key === '')
    throw new InvalidEventError(event.type, [
      { path: '', message: `the definition's key gave ${JSON.stringify(key)}, expected a non-empty text` },
    ])
  const headers: Header[] = envelopeHeaders(envelope, encoded.contentType)
  if (encoded.headers !== undefined) headers.push(...encoded.headers)
  return {
    topic: event.topic.name,
    key: Buffer.from(key),
    value: encoded.value,
    headers,
    timestamp: Date.parse(envelope.timestamp),
  }
}

function accept<Data>(
  event: EventDefinition<string, Data, never>,
  result: { readonly data: Data } | { readonly issues: InvalidEventError['issues'] },
): Data {
  if ('issues' in result) throw new InvalidEventError(event.type, result.issues)
  return result.data
}
