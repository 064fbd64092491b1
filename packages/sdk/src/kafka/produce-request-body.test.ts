import { createRequire } from 'node:module'
import { CompressionTypes } from 'kafkajs'
import { expect, test, vi } from 'vitest'
import { crc32c } from './crc32c.ts'
import { encodeProduceRequest, type ProduceMessage, type ProduceRequestBody } from './produce-request-body.ts'

const require = createRequire(import.meta.url)
const kafkajsRequest = require('kafkajs/src/protocol/requests/produce/v7/request.js')

/** The same request as kafkajs encodes it. */
async function asKafkajs(body: ProduceRequestBody): Promise<Buffer> {
  const encoder = await kafkajsRequest({ ...body, compression: CompressionTypes.None }).encode()
  return encoder.buffer
}

const now = 1_780_000_000_123

function request(...messages: ProduceMessage[]): ProduceRequestBody {
  return {
    acks: -1,
    timeout: 30_000,
    transactionalId: null,
    producerId: 4_294_967_299n,
    producerEpoch: 7,
    topicData: [{ topic: 'orders', partitions: [{ partition: 2, firstSequence: 41, messages }] }],
  }
}

const cases: Record<string, ProduceRequestBody> = {
  'one record': request({ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: now, headers: {} }),
  'texts instead of bytes, in more than one byte a letter': request({
    key: 'schlüssel',
    value: '値',
    timestamp: String(now),
    headers: { größe: 'groß', plain: Buffer.from([0, 255]) },
  }),
  'a tombstone without a key': request({ key: null, value: null, timestamp: now }),
  'an empty key and value': request({ key: '', value: '', timestamp: now, headers: { empty: '' } }),
  'a header that repeats': request({ value: 'v', timestamp: now, headers: { a: ['1', Buffer.from('2')], b: '3' } }),
  'timestamps that differ by more than 32 bits hold': request(
    { value: 'a', timestamp: now - 5_000_000_000 },
    { value: 'b', timestamp: now },
    { value: 'c', timestamp: now - 1 },
  ),
  'records without a timestamp': request({ value: 'a' }, { value: 'b' }),
  'a value larger than any first guess': request({ value: Buffer.alloc(300_000, 'x'), timestamp: now }),
  'several hundred records': request(
    ...Array.from({ length: 700 }, (_, i) => ({ key: `k${i}`, value: Buffer.alloc(i, i), timestamp: now + i })),
  ),
  'several topics and partitions': {
    ...request(),
    topicData: [
      {
        topic: 'orders',
        partitions: [
          { partition: 0, firstSequence: 1, messages: [{ value: 'a', timestamp: now }] },
          { partition: 1, firstSequence: 2_147_483_647, messages: [{ value: 'b', timestamp: now }] },
        ],
      },
      { topic: 'zahlungen-ü', partitions: [{ partition: 0, messages: [{ value: 'c', timestamp: now }] }] },
    ],
  },
  'a transaction': { ...request({ value: 'v', timestamp: now }), transactionalId: 'my-transaction' },
  'a producer without an identity': {
    acks: 0,
    timeout: 1,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v', timestamp: now }] }] }],
  },
}

test.each(Object.entries(cases))('%s: the bytes are those that kafkajs makes', async (_name, body) => {
  vi.useFakeTimers({ now })
  try {
    expect(encodeProduceRequest(body, now).equals(await asKafkajs(body))).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

test('the checksum is the one of RFC 3720, whatever the length and the place of the bytes', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from('xx123456789xx'), 2, 11)).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})
