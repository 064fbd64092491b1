import { type Codec, jsonCodec } from './codec.ts'
import { InvalidConfigurationError, UndecodableRecordError } from './errors.ts'
import type { RawMessage } from './message.ts'

export interface CodecPerTopicOptions {
  /** Writes the topics that are not named. @default jsonCodec */
  readonly default?: Codec
  /** By topic name. */
  readonly topics?: Readonly<Record<string, Codec>>
  /** Formats that are read and never written here, such as one that a partner still uses. */
  readonly alsoReads?: readonly Codec[]
}

/**
 * A codec that writes each topic in its own format and reads all of them, whichever topic they arrive on: so that a topic
 * can change its format while old records are still there.
 *
 * @example
 * const codec = codecPerTopic({ topics: { 'order-events': avro }, alsoReads: [cloudEventsCodec()] })
 *
 * @throws InvalidConfigurationError when a topic is named without a codec.
 */
export function codecPerTopic(options: CodecPerTopicOptions): Codec {
  const { default: fallback = jsonCodec, topics = {}, alsoReads = [] } = options
  const writers = new Map(Object.entries(topics))
  for (const [topic, codec] of writers)
    if (codec === undefined) throw new InvalidConfigurationError(`topic "${topic}" is named without a codec`)
  // The ones with marks of their own come first: a document of another format may well be JSON too.
  const readers = [...new Set([...alsoReads, ...writers.values(), fallback, jsonCodec])]
  readers.sort((a, b) => Number(a === jsonCodec) - Number(b === jsonCodec))
  return {
    encode: (event, envelope) => (writers.get(event.topic.name) ?? fallback).encode(event, envelope),
    recognises: (message) => readers.some((codec) => codec.recognises(message)),
    decode(message) {
      for (const codec of readers) if (codec.recognises(message)) return codec.decode(message)
      throw new UndecodableRecordError(`expected an event envelope, got ${describe(message)}`)
    },
  }
}

function describe({ value }: RawMessage): string {
  if (value === null) return 'a null value (a tombstone)'
  return `${value.length} byte(s) starting 0x${value.subarray(0, 8).toString('hex')}, which no codec of this consumer recognises`
}
