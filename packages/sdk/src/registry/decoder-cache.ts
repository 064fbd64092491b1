import type { AvroRecord } from '../avro/avro-schema.ts'
import { BinaryReader } from '../avro/binary-reader.ts'
import { type EnvelopeDecoder, envelopeDecoder } from './decoder.ts'
import type { SchemaLookup } from './schema-lookup.ts'

/**
 * The decoders of the schemas that records were written with: each is looked up and compiled once. What cannot be looked up is
 * not remembered here; the lookup remembers what the registry does not have.
 */
export class DecoderCache {
  readonly #lookup: SchemaLookup
  readonly #readers: ReadonlyMap<string, AvroRecord>
  readonly #input = new BinaryReader()
  readonly #ready = new Map<number | string, EnvelopeDecoder>()
  readonly #pending = new Map<number | string, Promise<EnvelopeDecoder>>()

  /** @param readers data records by the full name of the envelope around them */
  constructor(lookup: SchemaLookup, readers: ReadonlyMap<string, AvroRecord>) {
    this.#lookup = lookup
    this.#readers = readers
  }

  /** The decoder when it is there already; records of a known schema must not wait a turn. */
  ready(schema: number | string): EnvelopeDecoder | undefined {
    return this.#ready.get(schema)
  }

  /**
   * @throws UnknownSchemaError when the registry does not have the schema.
   * @throws RegistryUnavailableError when it cannot be asked.
   */
  find(schema: number | string): Promise<EnvelopeDecoder> {
    const known = this.#pending.get(schema)
    if (known !== undefined) return known
    const finding = this.#find(schema).finally(() => this.#pending.delete(schema))
    this.#pending.set(schema, finding)
    return finding
  }

  async #find(schema: number | string): Promise<EnvelopeDecoder> {
    const found = await (typeof schema === 'number' ? this.#lookup.byId(schema) : this.#lookup.byGuid(schema))
    const called = typeof schema === 'number' ? `schema id ${schema}` : `schema ${schema}`
    const decoder = envelopeDecoder(found.document, called, (name) => this.#readers.get(name), this.#input)
    this.#ready.set(schema, decoder)
    return decoder
  }
}
