/** Chance that can be had again: dice of the same seed give the same throws. */
export class Dice {
  readonly #seed: string
  #state: number

  constructor(seed: string) {
    this.#seed = seed
    // FNV-1a: seeds that differ in one letter must not begin alike.
    let hash = 0x811c9dc5
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193)
    this.#state = hash >>> 0
    for (let i = 0; i < 4; i++) this.next()
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** True this often, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share
  }

  /** @throws RangeError when there is nothing to pick from. */
  pick<T>(list: readonly T[]): T {
    const [picked] = this.some(list, 1)
    if (picked === undefined) throw new RangeError('there is nothing to pick from')
    return picked
  }

  /** Several different ones in an order of chance; all of them when there are no more. */
  some<T>(list: readonly T[], count = list.length): T[] {
    const rest = [...list]
    const picked: T[] = []
    while (picked.length < count && rest.length > 0) picked.push(...rest.splice(this.whole(0, rest.length - 1), 1))
    return picked
  }

  /** Dice of their own for one purpose, whatever was thrown here before. */
  fork(purpose: string): Dice {
    return new Dice(`${this.#seed}/${purpose}`)
  }
}
