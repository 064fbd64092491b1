import { NotATransactionError } from '../core/errors.ts'
import type { Merge } from '../postgres/merged-command.ts'
import type { QueryResult } from '../postgres/queryable.ts'
import { inTransaction, type Tx } from '../postgres/tx.ts'

/** A handler asked for something that only a transaction of its own can give. Never leaves this room. */
export class NeedsOwnTransactionError extends Error {
  override readonly name = 'NeedsOwnTransactionError'
}

/**
 * One handler's part of a transaction that several handlers share. What would reach beyond the handler is refused: to roll
 * back to a savepoint would silently undo what the others did in the meantime, and a setting would be theirs as well.
 */
export class SharedTransaction implements Tx {
  readonly [inTransaction] = true
  readonly #whole: Tx
  #over = false

  constructor(whole: Tx) {
    this.#whole = whole
  }

  /** The handler has returned: what it still does is nobody's. */
  end(): void {
    this.#over = true
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    this.#mustFit(text, values)
    return this.#whole.query(text, values)
  }

  async enqueue(
    text: string,
    values?: readonly unknown[],
    explain?: (error: unknown) => unknown,
    merge?: Merge,
  ): Promise<void> {
    // What is merged is made by one of our own rooms.
    this.#mustFit(text, values)
    return this.#whole.enqueue(text, values, explain, merge)
  }

  onCommit(callback: () => void): void {
    this.#mustFit('', [])
    this.#whole.onCommit(callback)
  }

  #mustFit(text: string, values: readonly unknown[] | undefined): void {
    if (this.#over)
      throw new NotATransactionError(
        'this handler has already returned; nothing more can be done in its transaction. Await everything before it returns.',
      )
    if (reachesBeyond(text, values !== undefined))
      throw new NeedsOwnTransactionError(
        `a statement that controls the transaction needs one of its own: ${text.trim().slice(0, 80)}`,
      )
  }
}

const control =
  'savepoint|rollback|release|commit|begin|start|abort|end|prepare|set|reset|discard|lock|declare|fetch|move|close'
/** As the first word, behind comments; a statement with values is only one. */
const opensWithControl = new RegExp(String.raw`^(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)*(?:${control})\b`, 'i')
/** Anywhere: a text without values may hold several statements. */
const holdsControl = new RegExp(String.raw`(?:^|;)(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)*(?:${control})\b`, 'i')

/** Whether a statement concerns the transaction or the session as a whole. Too many is harmless: its handler then runs alone. */
export function reachesBeyond(text: string, single: boolean): boolean {
  return (single ? opensWithControl : holdsControl).test(text) || /\bset_config\s*\(/i.test(text)
}
