import type { Broker } from 'kafkajs'

export type FetchRequest = Parameters<Broker['fetch']>[0]
type Topics = FetchRequest['topics']

/** What a fetch without any record is answered with. */
export const nothing = { responses: [] }

/** Most bytes of one fetch. */
const maxFetchBytes = 10 * 1024 * 1024
/**
 * What one partition is asked for: much where it is alone, because between two batches its handlers stand still, and less
 * where many share a fetch. Bytes.
 */
const mostOfPartition = 4 * 1024 * 1024
const leastOfPartition = 1024 * 1024

/**
 * The request with no more bytes asked for than there is room. A broker fills partitions in the order of the request until
 * it has enough, so each turn begins with another one, or the last would never be read behind a large backlog of the first.
 */
export function boundedFetch(request: FetchRequest, roomBytes: number, turn: number): FetchRequest {
  const count = request.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  const maxBytes = Math.min(maxFetchBytes, roomBytes)
  const each = Math.min(
    mostOfPartition,
    Math.max(leastOfPartition, Math.floor(maxBytes / Math.max(1, count))),
    maxBytes,
  )
  const topics: Topics = rotated(request.topics, turn).map(({ topic, partitions }) => ({
    topic,
    partitions: rotated(partitions, turn).map((partition) => ({ ...partition, maxBytes: each })),
  }))
  return { ...request, maxBytes, topics }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const first = list.length === 0 ? 0 : by % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}
