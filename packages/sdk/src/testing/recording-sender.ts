import { type EvtError, SendFailedError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import type { Sender } from '../core/transport.ts'

/** A sender that keeps what it was given. */
export interface RecordingSender extends Sender {
  /** Messages of all sends that did not fail, in order. */
  readonly messages: readonly RawMessage[]
  /** The same, send by send. */
  readonly sends: readonly (readonly RawMessage[])[]
  /** Makes the next send fail for every message, or for those at `indexes`; the others are kept. */
  failNext(error: EvtError, indexes?: readonly number[]): void
}

/**
 * Creates a sender that keeps messages and can be told to fail.
 *
 * @example
 * const sender = createRecordingSender()
 * await createProducer({ sender, source: 'test' }).publish(OrderCreated, { orderId: 'o-1' })
 * expect(sender.messages).toHaveLength(1)
 */
export function createRecordingSender(): RecordingSender {
  const sends: (readonly RawMessage[])[] = []
  const failures: { readonly error: EvtError; readonly indexes: readonly number[] | undefined }[] = []
  return {
    get messages() {
      return sends.flat()
    },
    sends,
    failNext: (error, indexes) => void failures.push({ error, indexes }),
    async send(messages) {
      const failure = failures.shift()
      if (failure === undefined) {
        sends.push([...messages])
        return
      }
      const failed = new Set(failure.indexes ?? messages.keys())
      const kept = messages.filter((_, i) => !failed.has(i))
      if (kept.length > 0) sends.push(kept)
      throw new SendFailedError(
        new Map(
          [...messages.entries()]
            .filter(([i]) => failed.has(i))
            .map(([i, message]) => [i, { message, error: failure.error }]),
        ),
        messages.length,
      )
    },
  }
}
