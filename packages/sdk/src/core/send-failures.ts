import { type EvtError, HeldBackError } from './errors.ts'
import type { RawMessage } from './message.ts'

/**
 * Which messages of a batch were not acknowledged, and what that means for those behind them: within one call, what
 * follows a failed message of its topic and key must not overtake it.
 */
export class SendFailures {
  readonly #byPlace = new Map<number, EvtError>()
  /** By call, the first failed place of each topic and key. Few, if any. */
  readonly #stopped = new Map<number, Map<string, number>>()
  /** Where each call begins in the batch, ascending. */
  readonly #callStarts: readonly number[]

  constructor(callStarts: readonly number[] = [0]) {
    this.#callStarts = callStarts
  }

  get byPlace(): ReadonlyMap<number, EvtError> {
    return this.#byPlace
  }

  get size(): number {
    return this.#byPlace.size
  }

  add(place: number, message: RawMessage, error: EvtError): void {
    this.#byPlace.set(place, error)
    if (message.key === null) return
    const call = this.#callOf(place)
    const stopped = this.#stopped.get(call) ?? new Map<string, number>()
    const name = nameOf(message)
    this.#stopped.set(call, stopped.set(name, Math.min(place, stopped.get(name) ?? place)))
  }

  /** Fails a message that must not be sent, because an earlier one of its call and key has failed; tells whether it did. */
  holdBack(place: number, message: RawMessage): boolean {
    if (this.#stopped.size === 0 || message.key === null) return false
    const stoppedAt = this.#stopped.get(this.#callOf(place))?.get(nameOf(message))
    if (stoppedAt === undefined || stoppedAt >= place) return false
    this.#byPlace.set(
      place,
      new HeldBackError(
        `not sent, because an earlier message of its key to "${message.topic}" in the same call failed and would have been overtaken; send it after that one`,
      ),
    )
    return true
  }

  /** The last call that begins at or before the place. */
  #callOf(place: number): number {
    let low = 0
    let high = this.#callStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#callStarts[middle] ?? 0) <= place) low = middle
      else high = middle - 1
    }
    return low
  }
}

function nameOf({ topic, key }: RawMessage): string {
  return `${topic}/${key?.toString('latin1')}`
}
