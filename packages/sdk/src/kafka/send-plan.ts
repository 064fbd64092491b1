/** The pure steps of sending: which partition, which request, and what a refused request is cut into. */
import type { RawMessage } from '../core/message.ts'
import type { PartitionAnswer, PartitionMessages } from './driver.ts'

/** Messages of one partition that travel together, with their places in the batch they came from. */
export interface Chunk extends PartitionMessages {
  readonly topic: string
  readonly partition: number
  readonly messages: RawMessage[]
  readonly places: number[]
  bytes: number
}

/** Bytes that a record adds around its key, value and headers at most, and a header around its name and value. */
const recordOverhead = 30
const headerOverhead = 6
/** What a batch of records has before the first record, with room to spare. */
const batchOverhead = 100

/** How much of a request a message takes, never less than it really does by more than a few bytes per record. */
export function recordBytes({ key, value, headers }: RawMessage): number {
  let bytes = recordOverhead + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, bytesOfHeader] of headers) bytes += name.length + bytesOfHeader.length + headerOverhead
  return bytes
}

/**
 * Gathers messages into chunks, one per partition, as long as they fit into one record batch of the broker.
 * Rounds must be sent one after another: a partition with more than fits goes on in the next round.
 */
export class SendPlan {
  readonly rounds: Chunk[][] = []
  readonly #open = new Map<string, (Chunk | undefined)[]>()
  readonly #roundOf = new Map<Chunk, number>()
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes - batchOverhead
  }

  add(message: RawMessage, place: number, partition: number, bytes: number): void {
    const { topic } = message
    let open = this.#open.get(topic)
    if (open === undefined) {
      open = []
      this.#open.set(topic, open)
    }
    let chunk = open[partition]
    if (chunk === undefined || chunk.bytes + bytes > this.#maxBytes) {
      const round = chunk === undefined ? 0 : (this.#roundOf.get(chunk) ?? 0) + 1
      chunk = { topic, partition, messages: [], places: [], bytes: 0 }
      open[partition] = chunk
      this.#roundOf.set(chunk, round)
      const chunks = this.rounds[round]
      if (chunks === undefined) this.rounds[round] = [chunk]
      else chunks.push(chunk)
    }
    chunk.messages.push(message)
    chunk.places.push(place)
    chunk.bytes += bytes
  }
}

/** The two halves of a chunk, in order. */
export function halves({ topic, partition, messages, places, bytes }: Chunk): [Chunk, Chunk] {
  const middle = Math.ceil(messages.length / 2)
  const part = (start: number, end?: number): Chunk => ({
    topic,
    partition,
    messages: messages.slice(start, end),
    places: places.slice(start, end),
    bytes: Math.ceil(bytes / 2),
  })
  return [part(0, middle), part(middle)]
}

/** Chunks that the answer does not name as written, which is all that may count as written. */
export function unanswered(chunks: readonly Chunk[], answers: readonly PartitionAnswer[]): Chunk[] {
  const written = new Set<string>()
  for (const { topic, partition, errorCode } of answers) if (errorCode === 0) written.add(`${topic}/${partition}`)
  return chunks.filter(({ topic, partition }) => !written.has(`${topic}/${partition}`))
}

/** The queue with every chunk of the first one's partition moved behind all others, in order among themselves. */
export function firstPartitionLast(queue: readonly Chunk[]): Chunk[] {
  const first = queue[0]
  if (first === undefined) return []
  const isSame = (chunk: Chunk) => chunk.topic === first.topic && chunk.partition === first.partition
  return [...queue.filter((chunk) => !isSame(chunk)), ...queue.filter(isSame)]
}
