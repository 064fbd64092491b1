/**
 * The shortest time in which pieces of work can be done, with at most `concurrency` at once and those of one key one after
 * another; piece `n` has key `n % keys`. Either all places are busy to the end, or the key with the most work decides:
 *
 *     max(all work / min(concurrency, keys), work of the busiest key)
 */
export function idealMs(tookMs: ArrayLike<number>, keys: number, concurrency: number): number {
  const perKey = new Float64Array(Math.min(keys, tookMs.length))
  let all = 0
  for (let n = 0; n < tookMs.length; n++) {
    const ms = tookMs[n] ?? 0
    all += ms
    const key = n % keys
    perKey[key] = (perKey[key] ?? 0) + ms
  }
  let busiest = 0
  for (const ms of perKey) busiest = Math.max(busiest, ms)
  return Math.max(all / Math.min(concurrency, keys), busiest)
}
