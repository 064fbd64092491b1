import type { Clock } from '../core/clock.ts'

export interface SharedLookupsOptions {
  readonly clock: Clock
  /** How many answers are kept; the one that was not asked for longest goes first. */
  readonly limit: number
  /** Whether an error means "it is not there", which is then remembered. */
  readonly isAbsent: (error: unknown) => boolean
  /** How long absence is remembered. Milliseconds. */
  readonly absentForMs: number
}

interface Absence {
  readonly error: unknown
  readonly untilMs: number
}

/**
 * Lookups of things that never change once they are there: found ones are kept, those under way are shared by all who ask, what
 * is not there is remembered for a while, and failures are not remembered at all.
 */
export class SharedLookups<Key, Value> {
  readonly #options: SharedLookupsOptions
  readonly #found = new Map<Key, Promise<Value>>()
  readonly #absent = new Map<Key, Absence>()

  constructor(options: SharedLookupsOptions) {
    this.#options = options
  }

  get(key: Key, look: () => Promise<Value>): Promise<Value> {
    const found = this.#found.get(key)
    if (found !== undefined) {
      // Behind the others again: the first of the map is the one that was not asked for longest.
      this.#found.delete(key)
      this.#found.set(key, found)
      return found
    }
    const absence = this.#absent.get(key)
    if (absence !== undefined) {
      if (this.#options.clock.monotonic() < absence.untilMs) return Promise.reject(absence.error)
      this.#absent.delete(key)
    }
    const lookup = look()
    this.#found.set(key, lookup)
    dropFirst(this.#found, this.#options.limit)
    lookup.catch((error: unknown) => {
      if (this.#found.get(key) === lookup) this.#found.delete(key)
      if (this.#options.absentForMs <= 0 || !this.#options.isAbsent(error)) return
      this.#absent.set(key, { error, untilMs: this.#options.clock.monotonic() + this.#options.absentForMs })
      // Ids come from bytes that anyone may have written.
      dropFirst(this.#absent, this.#options.limit)
    })
    return lookup
  }

  clear(): void {
    this.#found.clear()
    this.#absent.clear()
  }
}

function dropFirst<Key>(map: Map<Key, unknown>, limit: number): void {
  if (map.size <= limit) return
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}
