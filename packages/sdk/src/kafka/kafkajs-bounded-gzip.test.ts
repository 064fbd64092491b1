import { gzipSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { withBoundedGzip } from './kafkajs-bounded-gzip.ts'

/** What kafkajs does with a compressed batch. */
const decompress = (bytes: Buffer): Promise<Buffer> =>
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP]().decompress(bytes)

test('a batch that would unzip to more than the limit is refused, for our clients alone', async () => {
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024), { level: 1 })
  await expect(withBoundedGzip(() => decompress(bomb))).rejects.toThrow(RangeError)
  expect((await decompress(bomb)).length).toBe(65 * 1024 * 1024)
})

test('any other is read as before', async () => {
  const read = await withBoundedGzip(() => decompress(gzipSync('some records')))
  expect(String(read)).toBe('some records')
})
