import type { Command } from './open-transaction.ts'

/**
 * Makes one statement that does what one for each of the rows would do in this order; there is at least one. Statements are
 * of one kind when they are enqueued with the same one of these.
 */
export type Merge = (rows: readonly (readonly unknown[])[]) => Command

/** Most rows in one statement: what came before is under way while others are made. */
const mostRows = 32

/** Rows that were enqueued one after another and leave as one statement, whose text is made when it leaves. */
export class MergedCommand implements Command {
  readonly explain: ((error: unknown) => unknown) | undefined
  readonly #merge: Merge
  readonly #rows: (readonly unknown[])[]
  #made: Command | undefined

  constructor(merge: Merge, first: readonly unknown[], explain: ((error: unknown) => unknown) | undefined) {
    this.#merge = merge
    this.#rows = [first]
    this.explain = explain
  }

  get isFull(): boolean {
    return this.#rows.length >= mostRows
  }

  /** Adds a row where it belongs to the same kind; tells whether it did. */
  add(merge: Merge, row: readonly unknown[]): boolean {
    if (merge !== this.#merge || this.isFull || this.#made !== undefined) return false
    this.#rows.push(row)
    return true
  }

  get text(): string {
    return this.#command.text
  }

  get values(): readonly unknown[] | undefined {
    return this.#command.values
  }

  get #command(): Command {
    this.#made ??= this.#merge(this.#rows)
    return this.#made
  }
}
