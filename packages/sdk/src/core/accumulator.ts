import {
  BrokerUnavailableError,
  ClosedError,
  type EvtError,
  isEvtError,
  SendFailedError,
  type SendFailure,
} from './errors.ts'
import type { RawMessage } from './message.ts'
import type { Sender } from './transport.ts'

export interface AccumulatorOptions {
  /**
   * Sends one batch and resolves with the messages that were not acknowledged, by index; what it throws is the failure of
   * them all. It is never called again before it resolved: that is what keeps the order and makes an idempotent producer safe. `callStarts`
   * tells at which index each of the calls in the batch begins.
   */
  readonly flush: (
    batch: readonly RawMessage[],
    callStarts: readonly number[],
  ) => Promise<ReadonlyMap<number, EvtError>>
  /** @default 2000 */
  readonly maxBatchRecords?: number
  /** Sum of key and value bytes. @default 900000 */
  readonly maxBatchBytes?: number
}

interface Call {
  readonly messages: readonly RawMessage[]
  readonly bytes: number
  resolve(): void
  reject(error: Error): void
}

/**
 * A Sender with one batch in flight: what is sent in one tick leaves together, and what is sent while a batch is under
 * way is the next batch. Nothing waits for a timer, so a lone call is sent at once.
 */
export class Accumulator implements Sender {
  readonly #flush: AccumulatorOptions['flush']
  readonly #maxBatchRecords: number
  readonly #maxBatchBytes: number
  #queue: Call[] = []
  #state: 'idle' | 'scheduled' | 'flushing' = 'idle'
  #closed = false
  #whenDrained: (() => void)[] = []

  constructor({ flush, maxBatchRecords = 2000, maxBatchBytes = 900_000 }: AccumulatorOptions) {
    this.#flush = flush
    this.#maxBatchRecords = maxBatchRecords
    this.#maxBatchBytes = maxBatchBytes
  }

  send(messages: readonly RawMessage[]): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('this sender is closed; nothing was sent'))
    if (messages.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#queue.push({ messages, bytes: sizeOf(messages), resolve, reject })
      if (this.#state === 'idle') this.#schedule()
    })
  }

  /** Refuses further calls and resolves when all that were made have been answered. */
  close(): Promise<void> {
    this.#closed = true
    if (this.#state === 'idle') return Promise.resolve()
    return new Promise((resolve) => this.#whenDrained.push(resolve))
  }

  #schedule(): void {
    this.#state = 'scheduled'
    // Runs once all promise callbacks of this turn have run, so all who publish in it are on board, and before any I/O,
    // so a lone caller does not wait for the event loop to come round.
    process.nextTick(() => void this.#run())
  }

  async #run(): Promise<void> {
    this.#state = 'flushing'
    const calls = this.#takeCalls()
    try {
      settle(calls, await this.#send(calls))
    } catch (thrown) {
      // A flush that throws must cost its own calls alone: without this all later ones would wait for ever.
      for (const call of calls) call.reject(failureOf(call, thrown))
    }
    if (this.#queue.length > 0) {
      // The callers just answered run first, so that what they send next joins this batch.
      this.#schedule()
      return
    }
    this.#state = 'idle'
    for (const drained of this.#whenDrained.splice(0)) drained()
  }

  async #send(calls: readonly Call[]): Promise<ReadonlyMap<number, EvtError>> {
    const batch = calls.length === 1 ? (calls[0]?.messages ?? []) : calls.flatMap((call) => call.messages)
    const callStarts: number[] = []
    let start = 0
    for (const call of calls) {
      callStarts.push(start)
      start += call.messages.length
    }
    return this.#flush(batch, callStarts)
  }

  /** Whole calls up to the limits; a call larger than the limits goes alone. */
  #takeCalls(): Call[] {
    let records = 0
    let bytes = 0
    let count = 0
    for (const call of this.#queue) {
      records += call.messages.length
      bytes += call.bytes
      if (count > 0 && (records > this.#maxBatchRecords || bytes > this.#maxBatchBytes)) break
      count++
    }
    if (count === this.#queue.length) {
      const all = this.#queue
      this.#queue = []
      return all
    }
    return this.#queue.splice(0, count)
  }
}

function settle(calls: readonly Call[], failed: ReadonlyMap<number, EvtError>): void {
  let start = 0
  for (const call of calls) {
    const failures = failed.size === 0 ? undefined : failuresOf(call, start, failed)
    if (failures === undefined) call.resolve()
    else call.reject(new SendFailedError(failures, call.messages.length))
    start += call.messages.length
  }
}

/** Nothing says that the messages are at fault, nor whether they were written: the same call may succeed later. */
function failureOf(call: Call, thrown: unknown): SendFailedError {
  const error = isEvtError(thrown)
    ? thrown
    : new BrokerUnavailableError(
        `the batch could not be sent: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        { cause: thrown },
      )
  return new SendFailedError(new Map(call.messages.map((message, i) => [i, { message, error }])), call.messages.length)
}

function failuresOf(
  call: Call,
  start: number,
  failed: ReadonlyMap<number, EvtError>,
): ReadonlyMap<number, SendFailure> | undefined {
  const failures = new Map<number, SendFailure>()
  for (const [i, message] of call.messages.entries()) {
    const error = failed.get(start + i)
    if (error !== undefined) failures.set(i, { message, error })
  }
  return failures.size === 0 ? undefined : failures
}

function sizeOf(messages: readonly RawMessage[]): number {
  let bytes = 0
  for (const message of messages) bytes += (message.key?.length ?? 0) + (message.value?.length ?? 0)
  return bytes
}
