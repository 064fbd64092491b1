import type { AvroRecord, AvroSchema } from '../avro/avro-schema.ts'
import type { BinaryReader } from '../avro/binary-reader.ts'
import { compileReader } from '../avro/compile-reader.ts'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import type { Envelope } from '../core/envelope.ts'
import { UndecodableRecordError } from '../core/errors.ts'
import { envelopeRecord } from './envelope-record.ts'

/**
 * Reads the envelopes that were written with one schema.
 *
 * @throws UndecodableRecordError
 */
export type EnvelopeDecoder = (value: Buffer, bodyAt: number) => Envelope

/**
 * Compiles the decoder of a registered schema. One that can never give an envelope becomes a decoder that says so of every
 * record, since that is no reason to ask the registry again.
 *
 * @param called what the schema is called in messages, such as `schema id 7`
 * @param readerOf the data record that this consumer knows for an envelope's full name
 */
export function envelopeDecoder(
  document: unknown,
  called: string,
  readerOf: (envelopeName: string) => AvroRecord | undefined,
  input: BinaryReader,
): EnvelopeDecoder {
  let writer: AvroSchema
  try {
    writer = parseAvroSchema(document, { title: called, lenient: true })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return refusing(`expected an envelope in Avro, got ${called}, which is not an Avro schema: ${reason}`, cause)
  }
  const missing = missingFields(writer)
  if (writer.kind !== 'record' || missing === undefined)
    return refusing(`expected an event envelope, got a ${writer.kind} (${called})`)
  if (missing.length > 0)
    return refusing(
      `expected an event envelope, got a record ${writer.name} without ${missing.join(', ')} (${called}): it was written for something else`,
    )
  const data = readerOf(writer.name)
  const reader = data === undefined ? asWritten(writer) : envelopeRecord(data)
  const metadata = reader.fields.find(({ name }) => name === 'metadata')?.type
  const read = compileReader(writer, reader, { bareMaps: new Set(metadata === undefined ? [] : [metadata]) })
  const name = `${called}, ${writer.name}`
  return (value, bodyAt) => {
    try {
      input.open(value, bodyAt)
      // Safe: the reader's schema is that of an envelope, field for field.
      const envelope = read(input) as Envelope
      input.end()
      return withTexts(envelope)
    } catch (cause) {
      // Whatever went wrong, it went wrong because of the bytes, and would again.
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new UndecodableRecordError(`${reason} (${name})`, { cause })
    }
  }
}

const required = ['eventId', 'eventType', 'eventVersion', 'timestamp', 'source', 'correlationId', 'data']

function missingFields(writer: AvroSchema): string[] | undefined {
  if (writer.kind !== 'record') return undefined
  return required.filter((name) => !writer.fields.some((field) => field.name === name))
}

/** An envelope whose data stays what it is, for records of events that this consumer does not know. */
function asWritten(writer: AvroRecord): AvroRecord {
  const data = writer.fields.find(({ name }) => name === 'data')
  const nothing: AvroRecord = { kind: 'record', name: 'Data', aliases: [], doc: undefined, fields: [], attributes: {} }
  const envelope = envelopeRecord(nothing)
  const fields = envelope.fields.map((field) =>
    field.name === 'data' && data !== undefined ? { ...field, type: data.type } : field,
  )
  return { ...envelope, name: writer.name, fields }
}

/** Avro has made sure that they are texts; an empty one says nothing of a fact either. */
function withTexts(envelope: Envelope): Envelope {
  const { eventId, eventType, eventVersion, timestamp, source, correlationId } = envelope
  if (
    eventId === '' ||
    eventType === '' ||
    eventVersion === '' ||
    timestamp === '' ||
    source === '' ||
    correlationId === ''
  ) {
    const texts = Object.entries({ eventId, eventType, eventVersion, timestamp, source, correlationId })
    const [name] = texts.find(([, text]) => text === '') ?? []
    throw new UndecodableRecordError(`expected an event envelope with ${name} as text, got an empty one`)
  }
  return envelope
}

function refusing(message: string, cause?: unknown): EnvelopeDecoder {
  return () => {
    throw new UndecodableRecordError(message, { cause })
  }
}
