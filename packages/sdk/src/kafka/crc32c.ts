// Eight tables of 256: table k holds the checksum of a byte that k zero bytes follow, so that eight bytes are taken at once.
const tables = makeTables()

/** The CRC-32C (Castagnoli) checksum that a record batch carries, of the bytes from `start` to before `end`. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables
  let crc = -1
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24)
    crc =
      at(t7, crc & 0xff) ^
      at(t6, (crc >>> 8) & 0xff) ^
      at(t5, (crc >>> 16) & 0xff) ^
      at(t4, crc >>> 24) ^
      at(t3, at(bytes, i + 4)) ^
      at(t2, at(bytes, i + 5)) ^
      at(t1, at(bytes, i + 6)) ^
      at(t0, at(bytes, i + 7))
  }
  for (; i < end; i++) crc = at(t0, (crc ^ at(bytes, i)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Every index here is within bounds by construction; the compiler inlines this. */
function at(values: Uint8Array | Int32Array, index: number): number {
  return values[index] as number
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]

function makeTables(): Tables {
  const first = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    first[byte] = crc
  }
  const following = (table: Int32Array) => table.map((crc) => at(first, crc & 0xff) ^ (crc >>> 8))
  const second = following(first)
  const third = following(second)
  const fourth = following(third)
  const fifth = following(fourth)
  const sixth = following(fifth)
  const seventh = following(sixth)
  return [first, second, third, fourth, fifth, sixth, seventh, following(seventh)]
}
