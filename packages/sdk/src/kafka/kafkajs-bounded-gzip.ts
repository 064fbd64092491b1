/** Keeps a few compressed bytes from becoming as many gigabytes as somebody likes: kafkajs unzips without a limit. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { promisify } from 'node:util'
import { unzip } from 'node:zlib'
import kafkajs from 'kafkajs'

/** What one compressed batch of records may come to, many times what a broker takes by default. Bytes. */
const maxUnzippedBytes = 64 * 1024 * 1024

const unzipped = promisify(unzip)
const bounded = new AsyncLocalStorage<true>()
let installed = false

/**
 * Reads with the limit what is decompressed within. kafkajs has one table of codecs for the whole process, so the limit
 * holds for our own clients alone, and for others everything stays as it was.
 */
export function withBoundedGzip<T>(read: () => Promise<T>): Promise<T> {
  install()
  return bounded.run(true, read)
}

function install(): void {
  if (installed) return
  installed = true
  const { CompressionCodecs, CompressionTypes } = kafkajs
  // A function that gives the codec, which is not said by its types.
  const original = CompressionCodecs[CompressionTypes.GZIP] as () => {
    compress(encoder: unknown): Promise<Buffer>
    decompress(buffer: Buffer): Promise<Buffer>
  }
  CompressionCodecs[CompressionTypes.GZIP] = () => {
    const codec = original()
    return {
      compress: (encoder: unknown) => codec.compress(encoder),
      decompress: (buffer: Buffer) =>
        bounded.getStore() ? unzipped(buffer, { maxOutputLength: maxUnzippedBytes }) : codec.decompress(buffer),
    }
  }
}
