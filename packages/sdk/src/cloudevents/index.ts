/** CloudEvents 1.0 on Kafka, for topics that others read or write. */
export { type CloudEventsCodecOptions, cloudEventsCodec } from './cloud-events-codec.ts'
export type { EventName } from './event-names.ts'
