import type { AvroField, AvroRecord, AvroSchema } from '../avro/avro-schema.ts'

/**
 * The envelope as an Avro record around the record of an event's data: what is registered and what a record's value holds.
 * Field for field the envelope of `core/envelope.ts`. Ids and the timestamp are text, so that what a foreign producer wrote
 * is kept to the last digit.
 */
export function envelopeRecord(data: AvroRecord): AvroRecord {
  return {
    kind: 'record',
    name: `${data.name}Envelope`,
    aliases: data.aliases.map((alias) => `${alias}Envelope`),
    doc: `${data.name.slice(data.name.lastIndexOf('.') + 1)} with its identity and who caused it.`,
    fields: [
      field('eventId', text, 'UUID version 7; the same on every attempt to deliver this fact.'),
      field('eventType', text, 'Name of the event.'),
      field('eventVersion', text, 'Version of the event, such as v1.'),
      field('timestamp', text, 'When the fact was published: ISO-8601 in UTC.'),
      field('source', text, 'The service that published it.'),
      field('correlationId', text, 'The same for all facts that follow from one request.'),
      field('causationId', optionalText, 'Id of the event that caused this one; null for the first of a chain.', null),
      field('data', data, data.doc ?? 'What happened.'),
      field('metadata', texts, 'Who and where from, such as userId and sessionId.', {}),
    ],
    attributes: {},
  }
}

/** Name of the subject under which a topic's records of this type are registered: by topic and record name. */
export function subjectOf(topic: string, record: AvroRecord): string {
  return `${topic}-${record.name}`
}

const text: AvroSchema = { kind: 'string', attributes: {} }
const optionalText: AvroSchema = { kind: 'union', branches: [{ kind: 'null', attributes: {} }, text] }
const texts: AvroSchema = { kind: 'map', values: text, attributes: {} }

function field(name: string, type: AvroSchema, doc: string, fallback?: unknown): AvroField {
  return {
    name,
    aliases: [],
    doc,
    type,
    default: fallback === undefined ? undefined : { value: fallback },
    attributes: {},
  }
}
