/** The numbers by which Kafka's protocol names its requests; those that faults are usually wanted for. */
export const API_KEYS = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  ApiVersions: 18,
  CreateTopics: 19,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const

/** One of Kafka's request types by number. */
export type ApiKey = (typeof API_KEYS)[keyof typeof API_KEYS]

/** One message of Kafka's protocol with the four bytes of its length in front. */
export type KafkaFrame = Buffer

/** The part of a request that every request begins with. */
export interface KafkaRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** The name that the client gives itself; empty when it gives none. */
  readonly clientId: string
  readonly frame: KafkaFrame
}

const LENGTH_BYTES = 4

/** Cuts a stream of bytes into frames, whatever pieces the bytes come in. */
export class KafkaFrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that are whole now; what is left of the bytes waits for the next call. */
  push(chunk: Buffer): KafkaFrame[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: KafkaFrame[] = []
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readInt32BE(0)
      if (rest.length < end) break
      frames.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    this.#rest = rest
    return frames
  }
}

/** Reads what request a frame from a client is. */
export function readRequest(frame: KafkaFrame): KafkaRequest {
  return {
    apiKey: frame.readInt16BE(LENGTH_BYTES),
    apiVersion: frame.readInt16BE(LENGTH_BYTES + 2),
    correlationId: frame.readInt32BE(LENGTH_BYTES + 4),
    clientId: readClientId(frame),
    frame,
  }
}

function readClientId(frame: KafkaFrame): string {
  const start = LENGTH_BYTES + 10
  if (frame.length < start) return ''
  const length = frame.readInt16BE(start - 2)
  return length > 0 ? frame.toString('utf8', start, start + length) : ''
}

/** Reads to which request a frame from a broker is the response. */
export function readCorrelationId(frame: KafkaFrame): number {
  return frame.readInt32BE(LENGTH_BYTES)
}
