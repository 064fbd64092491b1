import type { Codec } from '../core/codec.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import type { EventDefinition } from '../core/event.ts'
import { attributeName, cloudEventAttributes } from './attributes.ts'
import { attributesOf, writeBinary, writeStructured } from './cloud-event-of-envelope.ts'
import { envelopeOf } from './envelope-of-cloud-event.ts'
import { type EventNamesOptions, eventNames } from './event-names.ts'
import { looksLikeCloudEvent, readCloudEvent } from './read-cloud-event.ts'

export interface CloudEventsCodecOptions extends EventNamesOptions {
  /**
   * How it writes; both are read. `binary`: attributes in headers, the data alone as the value. `structured`: all of it in
   * one JSON document.
   *
   * @default 'binary'
   */
  readonly mode?: 'binary' | 'structured'
  /** Extension attributes of others that become metadata under their own name, such as `tenantid`. @default none */
  readonly metadataFrom?: readonly string[]
  /** URI of the schema of an event's data, written as `dataschema`. @default none */
  readonly dataSchema?: (event: EventDefinition) => string | undefined
}

/**
 * CloudEvents 1.0 on Kafka, with data in JSON: for topics that others read or write. What the envelope has and CloudEvents
 * do not travels in extension attributes; where a foreign event lacks them, it is version `v1`, the first of its chain,
 * and without metadata.
 *
 * @example
 * const codec = codecPerTopic({ topics: { 'partner-events': cloudEventsCodec({ typePrefix: 'com.example.' }) } })
 *
 * @throws InvalidConfigurationError when a name in the options cannot be one.
 */
export function cloudEventsCodec(options: CloudEventsCodecOptions = {}): Codec {
  const { mode = 'binary', metadataFrom = [], dataSchema } = options
  const known = new Set<string>(Object.values(cloudEventAttributes))
  for (const name of metadataFrom)
    if (!attributeName.test(name) || known.has(name))
      throw new InvalidConfigurationError(
        `metadataFrom names "${name}"; expected an extension attribute: 1 to 20 of a-z and 0-9, and none that the envelope itself uses`,
      )
  const types = eventNames(options)
  const write = mode === 'binary' ? writeBinary : writeStructured
  return {
    encode: (event, envelope) => write(event, envelope, attributesOf(event, envelope, types, dataSchema?.(event))),
    recognises: looksLikeCloudEvent,
    decode(message) {
      const { attributes, data } = readCloudEvent(message)
      return envelopeOf(attributes, data, types, metadataFrom, message)
    },
  }
}
