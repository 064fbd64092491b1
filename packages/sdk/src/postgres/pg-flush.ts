import type { BatchOutcome, BatchReceiver } from './pg-batch.ts'

/** The connection that commands left on. */
export interface FlushOwner {
  /** So many commands were answered. */
  settled(count: number): void
  /** What an error of the connection means. */
  explain(error: unknown): unknown
}

/** Commands that left together; resolves when the last of them was answered. Classes instead of closures: this is the hot path of everything. */
export class Flush {
  readonly #owner: FlushOwner
  readonly #outcomes: BatchOutcome[] = []
  readonly #resolve: (outcomes: readonly BatchOutcome[]) => void
  #open: number

  constructor(owner: FlushOwner, commands: number, resolve: (outcomes: readonly BatchOutcome[]) => void) {
    this.#owner = owner
    this.#open = commands
    this.#resolve = resolve
  }

  part(from: number): BatchReceiver {
    return new FlushPart(this, from)
  }

  settle(from: number, outcomes: readonly BatchOutcome[]): void {
    let at = from
    for (const outcome of outcomes)
      this.#outcomes[at++] =
        outcome.status === 'rejected' ? { status: 'rejected', reason: this.#owner.explain(outcome.reason) } : outcome
    this.#owner.settled(outcomes.length)
    this.#open -= outcomes.length
    if (this.#open === 0) this.#resolve(this.#outcomes)
  }
}

class FlushPart implements BatchReceiver {
  readonly #flush: Flush
  readonly #from: number

  constructor(flush: Flush, from: number) {
    this.#flush = flush
    this.#from = from
  }

  settle(outcomes: readonly BatchOutcome[]): void {
    this.#flush.settle(this.#from, outcomes)
  }
}
