import { promisify } from 'node:util'
import { unzip } from 'node:zlib'
import kafkajs from 'kafkajs'

/** What one compressed batch of records may come to, many times what a broker takes by default. Bytes. */
const maxUnpackedBytes = 64 * 1024 * 1024

const gzip = 1
/** By Kafka's numbers: what kafkajs calls them, and a package that brings them. */
const others = new Map([
  [2, { name: 'Snappy', from: 'kafkajs-snappy' }],
  [3, { name: 'LZ4', from: 'kafkajs-lz4' }],
  [4, { name: 'ZSTD', from: '@kafkajs/zstd' }],
])

const unzipped = promisify(unzip)

/** Unpacks with a limit: a few compressed bytes can be as many gigabytes as somebody likes. */
export async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  if (codec === gzip) return unzipped(bytes, { maxOutputLength: maxUnpackedBytes })
  // The table holds functions that give a codec, which is not said by its types.
  const registered = kafkajs.CompressionCodecs as Record<
    number,
    (() => { decompress(bytes: Buffer): Promise<Buffer> }) | undefined
  >
  const make = registered[codec]
  if (make === undefined) throw new Error(`Kafka's compression ${codec} is not known`)
  const unpacked = await make().decompress(bytes)
  if (unpacked.length > maxUnpackedBytes) throw tooLarge()
  return unpacked
}

/** What a person can do about a batch that could not be unpacked. */
export function whyUnreadable(codec: number, cause: unknown): string {
  const other = others.get(codec)
  const { name = '' } = cause instanceof Error ? cause : {}
  if (other !== undefined && name === 'KafkaJSNotImplemented')
    return (
      `it is compressed with ${other.name}, which is not registered. Install a codec (${other.from}, for one), register it before createKafka ` +
      `(kafkajs.CompressionCodecs[kafkajs.CompressionTypes.${other.name}] = …) and restart; or have its producers use gzip or none`
    )
  if (cause instanceof RangeError)
    return `it unpacks to more than ${maxUnpackedBytes} bytes. Look at who wrote it, and seek beyond it`
  return `its ${other?.name ?? 'gzip'} data is broken (${cause instanceof Error ? cause.message : String(cause)}). Look at who wrote it, and seek beyond it`
}

function tooLarge(): RangeError {
  return new RangeError(`a batch unpacks to more than ${maxUnpackedBytes} bytes`)
}
