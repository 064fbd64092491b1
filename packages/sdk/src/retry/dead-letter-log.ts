import { isRejection } from '../core/errors.ts'
import type { Delivery } from '../core/message.ts'
import { type DeadLetter, deadLetterIn } from './dead-letter.ts'
import { type DeadLetterOperation, type Mark, noteIn } from './dead-letter-record.ts'

/**
 * How long a run has for a dead letter that it claimed; then another may claim it. By the times in the log, so that all who read
 * it agree. Milliseconds.
 */
export const claimMs = 60_000

/** Most operations that are remembered. */
const longestHistory = 1000

interface Entry {
  letter: DeadLetter
  claim: { readonly run: string; readonly at: number } | undefined
}

/** What the records of a dead-letter topic come to: the letters that nobody has decided about, and who has claimed them. */
export class DeadLetterLog {
  readonly #open = new Map<string, Entry>()
  #operations: readonly DeadLetterOperation[] = []
  #bytes = 0
  #unreadable = 0

  /** Undecided ones, in the order in which they died. */
  get letters(): readonly DeadLetter[] {
    return [...this.#open.values()].map(({ letter }) => letter)
  }

  /** What was done to the letters, the oldest first; the last thousand. */
  get operations(): readonly DeadLetterOperation[] {
    return this.#operations
  }

  /** Keys and values of the undecided ones. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records that no consumer and no run of the group wrote. */
  get unreadable(): number {
    return this.#unreadable
  }

  find(id: string): DeadLetter | undefined {
    return this.#open.get(id)?.letter
  }

  /** The run that has the letter, if any; at `now` (milliseconds since the epoch) it could still be at work. */
  claimant(id: string, now: number): string | undefined {
    const claim = this.#open.get(id)?.claim
    return claim === undefined || now - claim.at >= claimMs ? undefined : claim.run
  }

  /** Takes the next record of the topic. */
  append({ message, offset }: Pick<Delivery, 'message' | 'offset'>): void {
    const note = noteIn(message)
    if (note === undefined) this.#died(message, offset)
    else if ('letter' in note) this.#marked(note)
    else this.#operations = [...this.#operations.slice(1 - longestHistory), note]
  }

  #died(message: Delivery['message'], offset: bigint): void {
    const letter = read(message, offset)
    if (letter === undefined) {
      this.#unreadable++
      return
    }
    const known = this.#forget(letter.id)
    this.#bytes += sizeOf(letter)
    // A claim was for the record before: this one says that the event was tried, or taken over twice.
    this.#open.set(letter.id, { letter: { ...letter, timesSeen: (known?.timesSeen ?? 0) + 1 }, claim: undefined })
  }

  #marked({ kind, letter: id, offset, run, at }: Mark): void {
    const entry = this.#open.get(id)
    // A mark on an earlier record than the latest: the event has died again since, which is not decided yet.
    if (entry === undefined || entry.letter.at !== BigInt(offset)) return
    if (kind !== 'claimed') this.#forget(id)
    else if (entry.claim === undefined || at - entry.claim.at >= claimMs) entry.claim = { run, at }
  }

  #forget(id: string): DeadLetter | undefined {
    const known = this.#open.get(id)?.letter
    if (known === undefined) return undefined
    this.#open.delete(id)
    this.#bytes -= sizeOf(known)
    return known
  }
}

function read(message: Delivery['message'], offset: bigint): DeadLetter | undefined {
  try {
    return deadLetterIn(message, offset)
  } catch (error) {
    if (isRejection(error)) return undefined
    throw error
  }
}

function sizeOf({ message: { key, value } }: DeadLetter): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}
