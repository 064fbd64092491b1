import type { ShopFact } from '../load/fact-log.ts'

/**
 * Brings facts from several topics into the order in which they happened: each is held for a moment, and until its cause
 * has passed, since topics are read side by side.
 */
export class FactQueue {
  readonly #holdMs: number
  readonly #passed = new Set<string>()
  #held: ShopFact[] = []

  /** @param holdMs how long a fact is held for others that happened before it. */
  constructor(holdMs: number) {
    this.#holdMs = holdMs
  }

  add(fact: ShopFact): void {
    this.#held.push(fact)
  }

  /** What may pass at `now`, in order; milliseconds since the epoch. */
  take(now: number): ShopFact[] {
    const taken: ShopFact[] = []
    this.#held.sort(byTime)
    this.#held = this.#held.filter((fact) => {
      const isDue = Date.parse(fact.timestamp) <= now - this.#holdMs
      if (!isDue || (fact.causationId !== null && !this.#passed.has(fact.causationId))) return true
      this.#passed.add(fact.eventId)
      taken.push(fact)
      return false
    })
    return taken
  }

  /** All that is left, in order, whatever it waited for. */
  drain(): ShopFact[] {
    const rest = this.#held.sort(byTime)
    this.#held = []
    return rest
  }
}

function byTime(a: ShopFact, b: ShopFact): number {
  return Date.parse(a.timestamp) - Date.parse(b.timestamp) || (a.eventId < b.eventId ? -1 : 1)
}
