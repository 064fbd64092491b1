import type { AdvisoryLocks } from './advisory-locks.ts'

interface LockTable {
  readonly held: Set<string>
  readonly members: Map<number, number>
}

const tables = new WeakMap<object, LockTable>()

/**
 * Session locks for a database whose sessions all share one connection: the server would grant them to everybody, so they
 * are kept in this process, which is the only one that can have the database open.
 */
export class PgliteLocks implements AdvisoryLocks {
  readonly #table: LockTable
  readonly #own = new Map<string, () => void>()

  constructor(database: object) {
    const table = tables.get(database) ?? { held: new Set<string>(), members: new Map<number, number>() }
    tables.set(database, table)
    this.#table = table
  }

  async take(space: number, keys: readonly number[]): Promise<readonly number[]> {
    const taken = keys.filter((key) => !this.#table.held.has(nameOf(space, key)))
    for (const key of taken) {
      const name = nameOf(space, key)
      this.#table.held.add(name)
      this.#own.set(name, () => this.#table.held.delete(name))
    }
    return taken
  }

  async release(space: number, keys: readonly number[]): Promise<void> {
    for (const key of keys) this.#free(nameOf(space, key))
  }

  async join(space: number): Promise<void> {
    const { members } = this.#table
    members.set(space, (members.get(space) ?? 0) + 1)
    this.#own.set(`${space} member`, () => members.set(space, (members.get(space) ?? 1) - 1))
  }

  async members(space: number): Promise<number> {
    return this.#table.members.get(space) ?? 0
  }

  /** Frees whatever this session still holds. */
  end(): void {
    for (const name of [...this.#own.keys()]) this.#free(name)
  }

  #free(name: string): void {
    this.#own.get(name)?.()
    this.#own.delete(name)
  }
}

function nameOf(space: number, key: number): string {
  return `${space} ${key}`
}
