/**
 * How far an offset may move: counts the contiguous finished prefix of a list whose items finish in any order.
 */
export class Watermark {
  readonly #finished: Uint8Array
  #prefix = 0

  constructor(count: number) {
    this.#finished = new Uint8Array(count)
  }

  /** Marks the item at `index`; marking it twice changes nothing. */
  finish(index: number): void {
    this.#finished[index] = 1
    while (this.#finished[this.#prefix] === 1) this.#prefix++
  }

  isFinished(index: number): boolean {
    return this.#finished[index] === 1
  }

  /** Number of items finished without a gap from the first on. */
  get prefix(): number {
    return this.#prefix
  }
}
