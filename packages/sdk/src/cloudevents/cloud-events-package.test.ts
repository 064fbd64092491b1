/** Against another implementation of the same binding: each must read what the other writes. */
import { CloudEvent, type CloudEventV1, Kafka } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Envelope } from '../core/envelope.ts'
import { defineEvent } from '../core/event.ts'
import { envelopeHeaders } from '../core/headers.ts'
import type { RawMessage } from '../core/message.ts'
import { defineTopic } from '../core/topic.ts'
import { cloudEventsCodec } from './cloud-events-codec.ts'

const Noted = defineEvent({
  type: 'Noted',
  topic: defineTopic({ name: 'notes' }),
  schema: z.json(),
  key: () => 'note-1',
})

// What an attribute may hold; the codec refuses the rest, as its own tests show.
const attributeText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text))
const uri = fc.webPath().map((path) => `/services${path}`)
// As JSON gives it back, which has no minus zero; null is how a document says that there is none.
const json = fc
  .jsonValue({ noUnicodeString: false })
  .map((value): unknown => JSON.parse(JSON.stringify(value)))
  .filter((value) => value !== null && value !== undefined)
const time = fc
  .date({ min: new Date('1970-01-01T00:00:00.000Z'), max: new Date('2999-12-31T00:00:00.000Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

const envelopes: fc.Arbitrary<Envelope> = fc.record({
  eventId: fc.uuid(),
  eventType: fc.constant('Noted'),
  eventVersion: fc.constantFrom('v1', 'v2', 'v10'),
  timestamp: time,
  source: uri,
  correlationId: attributeText,
  causationId: fc.option(fc.uuid(), { nil: null }),
  data: json,
  metadata: fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' }), { maxKeys: 5 }),
})

// The package's type of a message over all transports lacks the key and the value that its binding for Kafka reads.
type PackageMessage = Parameters<typeof Kafka.toEvent>[0] & { readonly key: string; readonly value: string }

const written = async (mode: 'binary' | 'structured', envelope: Envelope): Promise<RawMessage> => {
  const { value, contentType, headers = [] } = await cloudEventsCodec({ mode }).encode(Noted, envelope)
  return {
    topic: 'notes',
    key: Buffer.from('note-1'),
    value,
    headers: [...envelopeHeaders(envelope, contentType), ...headers],
  }
}

/** As somebody would pass it to that package: with texts where Kafka has bytes. */
const forPackage = ({ key, value, headers }: RawMessage): PackageMessage => ({
  key: String(key),
  value: String(value),
  body: String(value),
  headers: Object.fromEntries(headers.map(([name, bytes]) => [name, bytes.toString()])),
})

/** As somebody would send what that package made. */
const fromPackage = (message: ReturnType<typeof Kafka.binary>): RawMessage => {
  const { value } = message as { readonly value?: unknown } // its type lacks it, as above
  return {
    topic: 'notes',
    key: null,
    value: Buffer.from(typeof value === 'string' && isStructured(message.headers) ? value : JSON.stringify(value)),
    headers: Object.entries(message.headers).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, Buffer.from(String(text))] as const],
    ),
  }
}
const isStructured = (headers: Readonly<Record<string, unknown>>) =>
  String(headers['content-type']).startsWith('application/cloudevents')

const oneEvent = (found: CloudEventV1<unknown> | CloudEventV1<unknown>[]) => {
  if (Array.isArray(found)) throw new Error('expected one event, got a batch')
  return found
}

describe.each(['binary', 'structured'] as const)('in %s mode', (mode) => {
  test('the cloudevents package reads what we write', () =>
    fc.assert(
      fc.asyncProperty(envelopes, async (envelope) => {
        const message = forPackage(await written(mode, envelope))
        expect(Kafka.isEvent(message)).toBe(true)
        const event = oneEvent(Kafka.toEvent<unknown>(message))
        expect(event).toMatchObject({
          specversion: '1.0',
          id: envelope.eventId,
          type: envelope.eventType,
          source: envelope.source,
          time: envelope.timestamp,
          datacontenttype: 'application/json',
          subject: 'note-1',
          partitionkey: 'note-1',
          eventversion: envelope.eventVersion,
          correlationid: envelope.correlationId,
        })
        expect(event.causationid ?? null).toBe(envelope.causationId)
        expect(event.data).toEqual(envelope.data)
        // Checked by the package's own schema of events, which says what is legal.
        expect(() => new CloudEvent({ ...event }, true)).not.toThrow()
      }),
    ))

  test('we read what the cloudevents package writes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({ id: fc.uuid(), type: attributeText, source: uri, time, data: json }),
        fc.option(attributeText, { nil: undefined }),
        async (attributes, tenantid) => {
          const event = new CloudEvent({
            ...attributes,
            datacontenttype: 'application/json',
            ...(tenantid !== undefined && { tenantid }),
          })
          const message = fromPackage(Kafka[mode](event))
          const codec = cloudEventsCodec({ metadataFrom: ['tenantid'] })
          expect(codec.recognises(message)).toBe(true)
          expect(await codec.decode(message)).toEqual({
            eventId: attributes.id,
            eventType: attributes.type,
            eventVersion: 'v1',
            timestamp: attributes.time,
            source: attributes.source,
            correlationId: attributes.id,
            causationId: null,
            data: attributes.data,
            metadata: tenantid === undefined ? {} : { tenantid },
          })
        },
      ),
    ))

  test('we read what we write, whatever is in it', () =>
    fc.assert(
      fc.asyncProperty(envelopes, async (envelope) => {
        expect(await cloudEventsCodec().decode(await written(mode, envelope))).toEqual({
          ...envelope,
          metadata: { ...envelope.metadata },
        })
      }),
    ))
})
