/** Kafka's partitioner hash, so that every client puts a key where this one does. Source: the Java client's `Utils.murmur2`. */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995
  const length = bytes.length
  let h = 0x9747b28c ^ length
  let i = 0
  for (; i + 4 <= length; i += 4) {
    // The bounds are checked by the loop; `?? 0` only satisfies the index check.
    let k = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const rest = length - i
  if (rest >= 3) h ^= (bytes[i + 2] ?? 0) << 16
  if (rest >= 2) h ^= (bytes[i + 1] ?? 0) << 8
  if (rest >= 1) h = Math.imul(h ^ (bytes[i] ?? 0), m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  h ^= h >>> 15
  return h
}

/** The partition of a key: the same as the Java client's default partitioner. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
