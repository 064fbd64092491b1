import { V7Generator } from 'uuidv7'

/** Makes event ids: unique, and sorted by time so that they index well. */
export type NewId = () => string

/** Random numbers fetched many at a time: asking the system for a few at each id would cost more than the id. */
class RandomNumbers {
  readonly #numbers = new Uint32Array(1024)
  #next = this.#numbers.length

  nextUint32(): number {
    if (this.#next === this.#numbers.length) {
      crypto.getRandomValues(this.#numbers)
      this.#next = 0
    }
    return this.#numbers[this.#next++] ?? 0
  }
}

const generator = new V7Generator(new RandomNumbers())

/** UUID version 7, strictly increasing within the process. */
export const newUuid: NewId = () => generator.generate().toString()
