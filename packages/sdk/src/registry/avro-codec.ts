import type { AvroRecord } from '../avro/avro-schema.ts'
import { avroRecordOf } from '../avro/avro-standard-schema.ts'
import { BinaryWriter, UnwritableValueError } from '../avro/binary-writer.ts'
import { compileWriter } from '../avro/compile-writer.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import type { Codec, Encoded } from '../core/codec.ts'
import type { Envelope } from '../core/envelope.ts'
import {
  InvalidConfigurationError,
  InvalidEventError,
  isEvtError,
  SchemaNotRegisteredError,
  UndecodableRecordError,
} from '../core/errors.ts'
import { type EventDefinition, validate } from '../core/event.ts'
import type { Header, RawMessage } from '../core/message.ts'
import { versionsOf } from '../core/upcast.ts'
import { DecoderCache } from './decoder-cache.ts'
import { envelopeRecord, subjectOf } from './envelope-record.ts'
import { frameOf, namedSchema, namesSchema, plainBodyAt, plainFrameId, schemaIdHeader } from './framing.ts'
import type { SchemaLookup } from './schema-lookup.ts'

/** The codec that writes envelopes as Avro, with schemas from a registry. */
export interface AvroCodec extends Codec {
  /**
   * Looks up the schemas that are to be written with, so that what is missing is found when a service starts and not by its
   * first order.
   *
   * @param events those that this service publishes. @default all that the codec was made with
   * @throws SchemaNotRegisteredError that names every event whose schema the registry does not have.
   * @throws RegistryUnavailableError when it cannot be asked.
   */
  prepare(events?: readonly EventDefinition[]): Promise<void>
}

export interface AvroCodecOptions {
  /** Where schemas are found: a registry client. The codec never registers one. */
  readonly lookup: SchemaLookup
  /** What is written, and the forms in which records are read; with them all older versions that they read. */
  readonly events: readonly EventDefinition[]
  /** Where a record names its schema: before the value, which every client reads, or in the header `__value_schema_id`. @default 'value' */
  readonly schemaIdIn?: 'value' | 'header'
}

/**
 * The value of records that this codec writes, in `content-type`. Not a plain Avro type: without the registry's frame taken off,
 * no Avro reader can read the value.
 */
const framedContentType = 'application/vnd.confluent.avro'
/** As the Avro specification calls it: the value is the record and nothing else. */
const bareContentType = 'avro/binary'

/**
 * Creates a codec that writes the whole envelope as an Avro record around the record of the event's data, behind the id of
 * its schema (a zero and four bytes). It reads that, the newer frame with a GUID (a one and sixteen bytes), and either of them in the header
 * `__value_schema_id`.
 *
 * The id is looked up once for each event and topic, under the subject `<topic>-<record>Envelope`; after that encoding takes no turn.
 * Records are read in the form of the definition whose record has the name that was written, among `events` and their older
 * versions, and as they are when there is none.
 *
 * Functions are compiled from the schemas at run time, so it does not work where Node is started with
 * `--disallow-code-generation-from-strings`.
 *
 * @example
 * const codec = createAvroCodec({ lookup: createRegistryClient({ url }), events: [OrderCreated, OrderCancelled] })
 * await codec.prepare()
 * const producer = createProducer({ sender: kafka, source: 'order-service', codec })
 *
 * @throws InvalidConfigurationError when an event is not defined by an Avro schema, or two different ones have one name.
 */
export function createAvroCodec(options: AvroCodecOptions): AvroCodec {
  const { lookup, events, schemaIdIn = 'value' } = options
  const strangers = events.filter((event) => avroRecordOf(event) === undefined)
  if (strangers.length > 0) throw notAvro(strangers)
  const decoders = new DecoderCache(lookup, readersOf(events))
  const encoders = new Encoders(lookup, schemaIdIn === 'header')
  return {
    encode(event, envelope) {
      const encoder = encoders.ready(event)
      return encoder === undefined ? encoders.find(event).then((found) => found(envelope)) : encoder(envelope)
    },
    recognises: namesSchema,
    decode(message) {
      const { value } = message
      if (value !== null) {
        const id = plainFrameId(value, message.headers)
        const decoder = id === -1 ? undefined : decoders.ready(id)
        if (decoder !== undefined) return decoder(value, plainBodyAt)
      }
      return decodeOther(message, decoders)
    },
    prepare: (written = events) => prepare(written, encoders),
  }
}

/** Records of a schema that is new here, or that is named in one of the rarer ways. */
function decodeOther(message: RawMessage, decoders: DecoderCache): Envelope | Promise<Envelope> {
  const { value } = message
  if (value === null) throw new UndecodableRecordError('expected an event envelope, got a null value (a tombstone)')
  const reference = namedSchema(value, message.headers)
  if (reference === undefined)
    throw new UndecodableRecordError(
      `expected an event envelope in Avro behind the id of its schema, got ${value.length} byte(s) starting 0x${value.subarray(0, 8).toString('hex')}`,
    )
  const { schema, bodyAt } = reference
  if (typeof schema === 'number' && schema < 0)
    throw new UndecodableRecordError(`expected the id of a schema, got ${schema}`)
  const decoder = decoders.ready(schema)
  return decoder === undefined ? decoders.find(schema).then((found) => found(value, bodyAt)) : decoder(value, bodyAt)
}

type Encoder = (envelope: Envelope) => Encoded

/** What is needed to write each event, looked up and compiled once for its topic and record. */
class Encoders {
  readonly #lookup: SchemaLookup
  readonly #idInHeader: boolean
  readonly #out = new BinaryWriter()
  readonly #ready = new WeakMap<EventDefinition, Encoder>()
  readonly #pending = new WeakMap<EventDefinition, Promise<Encoder>>()

  constructor(lookup: SchemaLookup, idInHeader: boolean) {
    this.#lookup = lookup
    this.#idInHeader = idInHeader
  }

  ready(event: EventDefinition): Encoder | undefined {
    return this.#ready.get(event)
  }

  /** @throws SchemaNotRegisteredError or RegistryUnavailableError; neither is remembered. */
  find(event: EventDefinition): Promise<Encoder> {
    const known = this.#pending.get(event)
    if (known !== undefined) return known
    const finding = this.#find(event).finally(() => this.#pending.delete(event))
    this.#pending.set(event, finding)
    return finding
  }

  async #find(event: EventDefinition): Promise<Encoder> {
    const data = avroRecordOf(event)
    if (data === undefined) throw notAvro([event])
    const record = envelopeRecord(data)
    const id = await this.#lookup.idOf(subjectOf(event.topic.name, record), printAvroSchema(record))
    const encoder = this.#encoder(event, record, frameOf(id))
    this.#ready.set(event, encoder)
    return encoder
  }

  #encoder(event: EventDefinition, record: AvroRecord, frame: Buffer): Encoder {
    const out = this.#out
    const write = compileWriter(record)
    const prefix = this.#idInHeader ? Buffer.alloc(0) : frame
    const headers: readonly Header[] | undefined = this.#idInHeader ? [[schemaIdHeader, frame]] : undefined
    return (envelope) => {
      out.start(prefix)
      try {
        write(out, envelope)
      } catch (cause) {
        if (!(cause instanceof UnwritableValueError)) throw cause
        throw invalidEvent(event, envelope, cause)
      }
      const value = out.finish()
      return headers === undefined
        ? { value, contentType: framedContentType }
        : { value, contentType: bareContentType, headers }
    }
  }
}

/** Writing only knows that something is wrong; the schema knows where. */
function invalidEvent(event: EventDefinition, envelope: Envelope, cause: UnwritableValueError): InvalidEventError {
  const checked = validate(event, envelope.data)
  const issues = !(checked instanceof Promise) && 'issues' in checked ? checked.issues : undefined
  return new InvalidEventError(
    event.type,
    issues ?? [{ path: '', message: `Avro cannot carry it: ${cause.message}` }],
    {
      cause,
    },
  )
}

async function prepare(events: readonly EventDefinition[], encoders: Encoders): Promise<void> {
  const answers = await Promise.allSettled(events.map((event) => encoders.ready(event) ?? encoders.find(event)))
  const failures = answers.flatMap((answer, i) =>
    answer.status === 'rejected' ? [{ event: events[i], reason: answer.reason as unknown }] : [],
  )
  // What cannot be asked is not known to be missing.
  for (const { reason } of failures)
    if (!isEvtError(reason) || reason.code !== 'EVT_SCHEMA_NOT_REGISTERED') throw reason
  if (failures.length === 0) return
  const names = failures.map(({ event }) => {
    const data = event === undefined ? undefined : avroRecordOf(event)
    return data === undefined || event === undefined
      ? ''
      : `${event.type} ${event.version} (subject "${subjectOf(event.topic.name, envelopeRecord(data))}")`
  })
  throw new SchemaNotRegisteredError(
    `the registry does not have the schema of ${names.join(', ')}. Register with "evt schema push" before this version is started; a service never registers schemas itself.`,
    { cause: failures[0]?.reason },
  )
}

/** Data records by the full name of their envelope; of one name only one, or nobody could say which one is read. */
function readersOf(events: readonly EventDefinition[]): ReadonlyMap<string, AvroRecord> {
  const readers = new Map<string, AvroRecord>()
  for (const event of events.flatMap(versionsOf)) {
    // An older version may never have been written in Avro.
    const data = avroRecordOf(event)
    if (data === undefined) continue
    const { name, aliases } = envelopeRecord(data)
    const known = readers.get(name)
    if (known !== undefined && known !== data && textOf(known) !== textOf(data))
      throw new InvalidConfigurationError(
        `two different records are called ${data.name}, one of them the data of ${event.type} ${event.version}; give a changed record a name of its own, such as one with ".v2."`,
      )
    readers.set(name, data)
    for (const alias of aliases) if (!readers.has(alias)) readers.set(alias, data)
  }
  return readers
}

function textOf(record: AvroRecord): string {
  return JSON.stringify(printAvroSchema(record))
}

function notAvro(events: readonly EventDefinition[]): InvalidConfigurationError {
  const names = events.map(({ type, version }) => `${type} ${version}`).join(', ')
  return new InvalidConfigurationError(
    `${names} cannot be written as Avro: the definition is not made of an Avro schema. Define the event with avroSchema, as "evt generate" does from the files in schemas/, or write its topic as JSON with codecPerTopic.`,
  )
}
