/** Turning envelopes into bytes and back, against plain avsc, kafkajs's registry client, and JSON. */
import { type Envelope, jsonCodec, type RawMessage } from '@evtkit/sdk'
import { avroRecordOf, printAvroSchema } from '@evtkit/sdk/avro'
import { type AvroCodec, createAvroCodec, createRegistryClient, envelopeRecord, subjectOf } from '@evtkit/sdk/registry'
import { createRegistryServer } from '@evtkit/sdk/registry/server'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avsc from 'avsc'
import type { BenchmarkCase, Suite } from '../case.ts'
import { envelope, OlderOrderCreated, OrderCreated, olderEnvelope } from '../order-envelope.ts'
import { repeat, repeatAwaiting } from '../repeat.ts'

const ours = 'avro codec'
const raw = 'avsc, scratch buffer'
const json = 'JSON.stringify, JSON.parse'
const jsonOurs = 'json codec'
const client = 'confluent-schema-registry'

export const codecSuite: Suite = {
  name: 'codec',
  async open() {
    const server = createRegistryServer()
    await server.start()
    const lookup = createRegistryClient({ url: server.url })
    const current = envelopeDocument(OrderCreated)
    const subject = subjectOf(OrderCreated.topic.name, envelopeOf(OrderCreated))
    await lookup.register(subject, envelopeDocument(OlderOrderCreated))
    const { id } = await lookup.register(subject, current)

    const codec = createAvroCodec({ lookup, events: [OrderCreated] })
    const olderCodec = createAvroCodec({ lookup, events: [OlderOrderCreated] })
    const registry = new SchemaRegistry({ host: server.url })
    await registry.getSchema(id)
    const bare = rawAvsc(current, id)

    const avro = await recordsOf((n) => codec.encode(OrderCreated, envelope(n)))
    const older = await recordsOf((n) => olderCodec.encode(OlderOrderCreated, olderEnvelope(n)))
    const documents = await recordsOf((n) => jsonCodec.encode(OrderCreated, envelope(n)))
    await Promise.all([codec.decode(avro(0)), codec.decode(older(0))])
    const avroBytes = avro(0).value?.length ?? 0
    const jsonBytes = documents(0).value?.length ?? 0

    const cases: BenchmarkCase[] = [
      {
        name: 'codec/encode',
        contenders: [
          {
            name: raw,
            bytesPerMessage: avroBytes,
            run: async (round) => repeat(round, (n) => bare.encode(envelope(n))),
          },
          {
            name: ours,
            bytesPerMessage: avroBytes,
            run: async (round) => repeat(round, (n) => codec.encode(OrderCreated, envelope(n))),
          },
          {
            name: client,
            bytesPerMessage: avroBytes,
            run: (round) => repeatAwaiting(round, (n) => registry.encode(id, envelope(n))),
          },
          { name: json, bytesPerMessage: jsonBytes, run: async (round) => repeat(round, (n) => toJson(envelope(n))) },
          {
            name: jsonOurs,
            bytesPerMessage: jsonBytes,
            run: async (round) => repeat(round, (n) => jsonCodec.encode(OrderCreated, envelope(n))),
          },
        ],
        targets: [{ contender: ours, measure: 'ratio', atLeast: 0.9 }],
      },
      {
        name: 'codec/decode',
        contenders: [
          { name: raw, run: async (round) => repeat(round, (n) => bare.decode(avro(n).value)) },
          { name: ours, run: async (round) => repeat(round, (n) => codec.decode(avro(n))) },
          {
            name: client,
            run: (round) => repeatAwaiting(round, async (n) => registry.decode(avro(n).value ?? Buffer.alloc(0))),
          },
          { name: json, run: async (round) => repeat(round, (n) => fromJson(documents(n).value)) },
          { name: jsonOurs, run: async (round) => repeat(round, (n) => jsonCodec.decode(documents(n))) },
        ],
        targets: [{ contender: ours, measure: 'ratio', atLeast: 0.9 }],
      },
      {
        name: 'codec/round-trip',
        contenders: [
          { name: json, run: async (round) => repeat(round, (n) => fromJson(toJson(envelope(n)))) },
          { name: ours, run: async (round) => repeat(round, (n) => roundTrip(codec, envelope(n))) },
          { name: raw, run: async (round) => repeat(round, (n) => bare.decode(bare.encode(envelope(n)))) },
        ],
        targets: [{ contender: ours, measure: 'ratio', atLeast: 1.9 }],
      },
      {
        name: 'codec/older-version',
        contenders: [
          { name: 'current version', run: async (round) => repeat(round, (n) => codec.decode(avro(n))) },
          { name: 'older version', run: async (round) => repeat(round, (n) => codec.decode(older(n))) },
        ],
        targets: [{ contender: 'older version', measure: 'ratio', atLeast: 0.85 }],
      },
    ]
    return {
      cases,
      async close() {
        await lookup.close()
        await server.close()
      },
    }
  },
}

function envelopeOf(event: typeof OrderCreated | typeof OlderOrderCreated) {
  const record = avroRecordOf(event)
  if (record === undefined) throw new Error('expected an event that is defined by an Avro schema')
  return envelopeRecord(record)
}

function envelopeDocument(event: typeof OrderCreated | typeof OlderOrderCreated): unknown {
  return printAvroSchema(envelopeOf(event))
}

/** What one writes by hand with avsc: a type, a frame, and one buffer that is used again. */
function rawAvsc(document: unknown, id: number) {
  // Safe: it is a printed schema.
  const type = avsc.Type.forSchema(document as avsc.Schema)
  const scratch = Buffer.alloc(1024 * 1024)
  scratch.writeInt32BE(id, 1)
  return {
    encode: (value: unknown): Buffer => Buffer.from(scratch.subarray(0, type.encode(value, scratch, 5))),
    decode: (bytes: Buffer | null): unknown => type.fromBuffer((bytes ?? scratch).subarray(5)),
  }
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const fromJson = (bytes: Buffer | null): unknown => JSON.parse(String(bytes))

function roundTrip(codec: AvroCodec, value: Envelope): unknown {
  const encoded = codec.encode(OrderCreated, value)
  // Never later: the schema's id was looked up before.
  return encoded instanceof Promise ? encoded : codec.decode({ ...recordAround, value: encoded.value })
}

const recordAround: RawMessage = { topic: 'order-events', key: null, value: null, headers: [] }

/** A thousand records, by number. */
async function recordsOf(
  encode: (n: number) => { readonly value: Buffer } | Promise<{ readonly value: Buffer }>,
): Promise<(n: number) => RawMessage> {
  const records: RawMessage[] = []
  for (let n = 0; n < 1000; n++) records.push({ ...recordAround, value: (await encode(n)).value })
  return (n) => records[n % records.length] ?? recordAround
}
