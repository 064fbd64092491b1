import type { Direction } from './fault.ts'
import { type KafkaFrame, KafkaFrameReader, type KafkaRequest, readCorrelationId, readRequest } from './kafka-frame.ts'
import type { Dialect, Piece } from './proxy-dialect.ts'

/** Kafka's protocol on one connection: a response is known by the request it belongs to. */
export class KafkaDialect implements Dialect<KafkaRequest> {
  readonly #frames = { request: new KafkaFrameReader(), response: new KafkaFrameReader() }
  /** Requests that wait for their response, by correlation id. */
  readonly #requests = new Map<number, KafkaRequest>()

  read(direction: Direction, chunk: Buffer): readonly Piece<KafkaRequest>[] {
    return this.#frames[direction].push(chunk).map((bytes) => ({
      bytes,
      subject: direction === 'request' ? this.#remember(bytes) : this.#recall(bytes),
    }))
  }

  #remember(frame: KafkaFrame): KafkaRequest {
    const request = readRequest(frame)
    this.#requests.set(request.correlationId, request)
    return request
  }

  #recall(frame: KafkaFrame): KafkaRequest | undefined {
    const correlationId = readCorrelationId(frame)
    const request = this.#requests.get(correlationId)
    this.#requests.delete(correlationId)
    return request
  }
}
