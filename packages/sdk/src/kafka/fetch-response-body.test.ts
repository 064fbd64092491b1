import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { unpackBatches } from './compressed-batches.ts'
import { decodeCompressedFetchResponse, decodeFetchResponse } from './fetch-response-body.ts'
import { decompress, whyUnreadable } from './kafkajs-decompression.ts'
import { encodeProduceRequest, type ProduceMessage } from './produce-request-body.ts'

const require = createRequire(import.meta.url)
const kafkajsResponse = require('kafkajs/src/protocol/requests/fetch/v11/response.js')

const now = 1_780_000_000_123

interface BatchOptions {
  readonly firstOffset?: bigint
  readonly transactionalId?: string
  readonly change?: (batch: Buffer) => void
}

/** A record batch as a broker keeps it: what a producer sent, with its first offset filled in. */
function batchOf(
  messages: readonly ProduceMessage[],
  { firstOffset = 0n, transactionalId, change }: BatchOptions = {},
): Buffer {
  const request = encodeProduceRequest(
    {
      acks: -1,
      timeout: 1,
      producerId: 9_007_199_254_740_993n,
      producerEpoch: 3,
      ...(transactionalId !== undefined && { transactionalId }),
      topicData: [{ topic: 't', partitions: [{ partition: 0, firstSequence: 17, messages }] }],
    },
    now,
  )
  const before = 2 + (transactionalId?.length ?? 0) + 2 + 4 + 4 + 3 + 4 + 4 + 4
  const batch = Buffer.from(request.subarray(before))
  batch.writeBigInt64BE(firstOffset)
  change?.(batch)
  return batch
}

interface Part {
  readonly records: Buffer
  readonly aborted?: readonly (readonly [producerId: bigint, firstOffset: bigint])[]
}

function responseOf(...parts: Part[]): Buffer {
  const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  }
  const int64 = (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return bytes
  }
  const topic = Buffer.from('zahlungen-ü')
  const head = [int32(12), int16(0), int32(77), int32(1), int16(topic.length), topic, int32(parts.length)]
  const partitions = parts.flatMap(({ records, aborted }, i) => [
    int32(i),
    int16(0),
    int64(4_294_967_299n),
    int64(-1n),
    int64(5n),
    int32(aborted?.length ?? -1),
    ...(aborted ?? []).flatMap(([producerId, firstOffset]) => [int64(producerId), int64(firstOffset)]),
    int32(-1),
    int32(records.length),
    records,
  ])
  return Buffer.concat([...head, ...partitions])
}

const two: ProduceMessage[] = [
  { key: 'k', value: 'v', timestamp: now, headers: { a: '1', größe: Buffer.from([0, 255]) } },
  { key: null, value: null, timestamp: now + 9_999_999_999 },
]
const logAppendTime = (batch: Buffer) => batch.writeInt16BE(0x08, 21)
const control = (batch: Buffer) => batch.writeInt16BE(0x30, 21)

const cases: Record<string, Buffer> = {
  'no partitions': responseOf(),
  'a partition without records': responseOf({ records: Buffer.alloc(0) }),
  'two records': responseOf({ records: batchOf(two) }),
  'offsets beyond 32 bits': responseOf({ records: batchOf(two, { firstOffset: 9_000_000_000n }) }),
  'several batches of several partitions': responseOf(
    { records: Buffer.concat([batchOf(two), batchOf(two, { firstOffset: 2n }), batchOf([{ value: 'x' }])]) },
    { records: batchOf([{ key: '', value: '', timestamp: now - 5 }]) },
  ),
  'many records of many sizes': responseOf({
    records: batchOf(
      Array.from({ length: 700 }, (_, i) => ({ key: `k${i}`, value: Buffer.alloc(i % 40, i), timestamp: now + i })),
    ),
  }),
  'a header that repeats': responseOf({ records: batchOf([{ value: 'v', headers: { a: ['1', '2', '3'], b: '4' } }]) }),
  'a batch that is cut off at the end': responseOf({
    records: Buffer.concat([batchOf(two), batchOf(two, { firstOffset: 2n }).subarray(0, 90)]),
  }),
  'nothing but a batch that is cut off': responseOf({ records: batchOf(two).subarray(0, 70) }),
  'timestamps given by the log': responseOf({ records: batchOf(two, { change: logAppendTime }) }),
  'a transaction, its end and an aborted one': responseOf({
    records: Buffer.concat([
      batchOf(two, { transactionalId: 'tx' }),
      batchOf(
        [two[0] ?? {}].flatMap(() => [{ key: Buffer.alloc(4), value: 'end' }]),
        { firstOffset: 2n, change: control },
      ),
    ]),
    aborted: [
      [9_007_199_254_740_993n, 0n],
      [1n, 2n],
    ],
  }),
}

test.each(Object.entries(cases))('%s: what is read is what kafkajs reads', async (_name, bytes) => {
  const decoded = decodeFetchResponse(bytes)
  expect(plain(decoded)).toEqual(plain(await kafkajsResponse.decode(bytes)))
})

/** The same batch as a producer would have compressed it. */
function compressedBatchOf(codec: number, compress: (records: Buffer) => Buffer, options: BatchOptions = {}): Buffer {
  const batch = batchOf(two, options)
  const whole = Buffer.concat([batch.subarray(0, 61), compress(batch.subarray(61))])
  whole.writeInt32BE(whole.length - 12, 8)
  whole.writeInt16BE(codec, 21)
  return whole
}

test('compressed records are not read at once', () => {
  expect(decodeFetchResponse(responseOf({ records: compressedBatchOf(1, gzipSync) }))).toBeUndefined()
})

test('compressed batches between others are read as kafkajs reads them', async () => {
  const bytes = responseOf(
    {
      records: Buffer.concat([
        batchOf(two),
        compressedBatchOf(1, gzipSync, { firstOffset: 2n }),
        batchOf(two, { firstOffset: 4n }),
        compressedBatchOf(1, gzipSync, { firstOffset: 6n }).subarray(0, 80),
      ]),
    },
    { records: Buffer.alloc(0) },
  )
  const decoded = await decodeCompressedFetchResponse(
    bytes,
    async (records) => (await unpackBatches(records, decompress)).batches,
  )
  const messages = (decoded?.responses[0]?.partitions ?? []).map((partition) => partition.messages)
  expect(messages.map(({ length }) => length)).toEqual([6, 0])
  expect(plain(decoded)).toEqual(plain(await kafkajsResponse.decode(bytes)))
})

test('a batch that cannot be unpacked is known by its place, and those before it are read', async () => {
  const before = batchOf(two)
  const records = Buffer.concat([before, compressedBatchOf(2, (bytes) => bytes, { firstOffset: 2n }), batchOf(two)])
  const { batches, unreadable } = await unpackBatches(records, decompress)
  expect(batches).toEqual(before)
  expect(unreadable).toMatchObject({ offset: 2n, codec: 2 })
  expect(whyUnreadable(2, unreadable?.cause)).toContain('kafkajs-snappy')
})

test('a batch that would unpack to more than the limit, or that is broken, is not read', async () => {
  const bomb = compressedBatchOf(1, () => gzipSync(Buffer.alloc(65 * 1024 * 1024), { level: 1 }))
  const large = await unpackBatches(bomb, decompress)
  expect(whyUnreadable(1, large.unreadable?.cause)).toContain('more than')
  const broken = await unpackBatches(
    compressedBatchOf(1, (bytes) => bytes),
    decompress,
  )
  expect(whyUnreadable(1, broken.unreadable?.cause)).toContain('broken')
})

test('records of the format before Kafka 0.11 are left to kafkajs', () => {
  const old = batchOf(two, { change: (batch) => batch.writeInt8(1, 16) })
  expect(decodeFetchResponse(responseOf({ records: old }))).toBeUndefined()
})

test('a response that does not add up is left to kafkajs, wherever it is cut', () => {
  const whole = responseOf({ records: batchOf(two) })
  for (let length = 0; length < whole.length; length++)
    expect(decodeFetchResponse(whole.subarray(0, length))).toBeUndefined()
})

test('a length that points beyond its record is not followed', () => {
  const records = batchOf([{ key: 'key', value: 'value', timestamp: now }])
  records[61 + 4] = 0x7e
  expect(decodeFetchResponse(responseOf({ records }))).toBeUndefined()
})

test('headers keep the order of the log, whatever their names', () => {
  const bytes = responseOf({
    records: batchOf([{ value: 'v', headers: { constructor: '1', b: ['2', '3'], a: '4' } }]),
  })
  const [record] = decodeFetchResponse(bytes)?.responses[0]?.partitions[0]?.messages ?? []
  expect(record?.headerPairs.map(([name, value]) => [name, String(value)])).toEqual([
    ['constructor', '1'],
    ['b', '2'],
    ['b', '3'],
    ['a', '4'],
  ])
})

/** The same as plain objects: ours has its headers behind a getter. */
function plain(response: unknown): unknown {
  // Whatever it is, what is looked at below is looked up first.
  const found = response as { responses?: { partitions: { messages: { headers: unknown }[] }[] }[] } | undefined
  if (found?.responses === undefined) return response
  return {
    ...found,
    responses: found.responses.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) => ({
        ...partition,
        messages: partition.messages.map((record) => ({ ...record, headers: record.headers })),
      })),
    })),
  }
}
