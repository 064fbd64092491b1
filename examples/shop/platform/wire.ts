import { type Codec, codecPerTopic, type EventDefinition, jsonCodec, type Logger } from '@evtkit/sdk'
import { createAvroCodec, createRegistryClient, type SchemaLookup } from '@evtkit/sdk/registry'
import { allEvents } from '../contracts/index.ts'
import type { Settings } from './settings.ts'

/** What facts look like on the wire. */
export interface Wire {
  /** Writes the one format and reads both, so that records of before a change are still read. */
  readonly codec: Codec
  /**
   * Makes sure, before a service says that it is ready, that its facts can be written.
   *
   * @throws SchemaNotRegisteredError, RegistryUnavailableError
   */
  prepare(publishes: readonly EventDefinition[]): Promise<void>
  close(): Promise<void>
}

/** Where schemas are found, and what to do with it in the end. */
export type Registry = SchemaLookup & { close?(): Promise<void> }

/** JSON; with a registry, Avro is read too. */
export function jsonWire(registry?: Registry): Wire {
  const alsoReads = registry === undefined ? [] : [createAvroCodec({ lookup: registry, events: allEvents })]
  return {
    codec: codecPerTopic({ default: jsonCodec, alsoReads }),
    prepare: async () => {},
    close: async () => registry?.close?.(),
  }
}

/** Avro with the schemas of a registry. */
export function avroWire(registry: Registry): Wire {
  const avro = createAvroCodec({ lookup: registry, events: allEvents })
  return {
    codec: codecPerTopic({ default: avro }),
    prepare: (publishes) => avro.prepare(publishes),
    close: async () => registry.close?.(),
  }
}

/**
 * The format that the settings ask for.
 *
 * @throws Error when that is Avro and no registry is named.
 */
export function openWire({ codec, registryUrl }: Pick<Settings, 'codec' | 'registryUrl'>, logger: Logger): Wire {
  const registry = registryUrl === undefined ? undefined : createRegistryClient({ url: registryUrl, logger })
  if (codec === 'json') return jsonWire(registry)
  if (registry === undefined) throw new Error('SCHEMA_REGISTRY_URL is not set; SHOP_CODEC=avro needs it')
  return avroWire(registry)
}
