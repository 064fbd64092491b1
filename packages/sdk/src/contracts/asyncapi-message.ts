import { headerNames } from '../core/headers.ts'
import { envelopeRecord, subjectOf } from '../registry/envelope-record.ts'
import { asyncApiAvro } from './asyncapi-avro.ts'
import type { EventContract } from './contracts.ts'
import { piiFields } from './pii-fields.ts'

/** Version of the Kafka bindings that everything here is written by. */
export const kafkaBindingVersion = '0.5.0'

/** Name of an event's message in the document. */
export function messageName({ type, version }: Pick<EventContract, 'type' | 'version'>): string {
  return `${type}.${version}`
}

/** One version of an event as a message: the envelope in Avro, its headers, its key. */
export function asyncApiMessage(event: EventContract, newest: string): Readonly<Record<string, unknown>> {
  const { type, version, domain, topic, key, data } = event
  const envelope = envelopeRecord(data)
  const personal = piiFields(data).map((path) => `data.${path}`)
  return {
    name: type,
    title: `${type} ${version}`,
    ...(data.doc !== undefined && { summary: data.doc }),
    contentType: 'application/vnd.confluent.avro',
    headers: {
      allOf: [
        { $ref: '#/components/schemas/EventHeaders' },
        {
          type: 'object',
          properties: {
            [headerNames.eventType]: { const: type },
            [headerNames.eventVersion]: { const: version },
          },
        },
      ],
    },
    payload: {
      // The newest version that AsyncAPI has a name for; it reads the same documents.
      schemaFormat: 'application/vnd.apache.avro;version=1.9.0',
      schema: asyncApiAvro(envelope),
    },
    correlationId: { location: `$message.header#/${headerNames.correlationId}` },
    tags: [{ name: domain }, ...(personal.length > 0 ? [{ name: 'personal-data' }] : [])],
    bindings: {
      kafka: {
        key: { type: 'string', description: `The field ${key} of the data.` },
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'TopicRecordNameStrategy',
        bindingVersion: kafkaBindingVersion,
      },
    },
    'x-subject': subjectOf(topic.name, envelope),
    'x-key': `data.${key}`,
    ...(personal.length > 0 && { 'x-pii': personal }),
    ...(version !== newest && { 'x-superseded-by': newest }),
  }
}

/** The headers of every event, as a JSON Schema. */
export const eventHeadersSchema = {
  type: 'object',
  description: 'Repeat what routing needs, so that nothing has to be decoded to route. UTF-8 text.',
  required: [
    headerNames.contentType,
    headerNames.eventId,
    headerNames.eventType,
    headerNames.eventVersion,
    headerNames.source,
    headerNames.correlationId,
  ],
  properties: {
    [headerNames.contentType]: { type: 'string', description: "Media type of the record's value." },
    [headerNames.eventId]: {
      type: 'string',
      description: 'UUID version 7; the same on every attempt to deliver this fact.',
    },
    [headerNames.eventType]: { type: 'string', description: 'Name of the event.' },
    [headerNames.eventVersion]: { type: 'string', description: 'Version of the event, such as v1.' },
    [headerNames.source]: { type: 'string', description: 'The service that published it.' },
    [headerNames.correlationId]: {
      type: 'string',
      description: 'The same for all facts that follow from one request.',
    },
    [headerNames.causationId]: {
      type: 'string',
      description: 'Id of the event that caused this one; left out for the first of a chain.',
    },
  },
} as const
