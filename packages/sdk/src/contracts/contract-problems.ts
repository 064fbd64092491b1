import { InvalidContractError } from '../core/errors.ts'

/** Collects what is wrong, so that somebody who puts it right sees all of it at once. */
export class ContractProblems {
  readonly #lines = new Set<string>()

  /** @param where the file, and the place in it when there is one: `topics.yaml line 3`, `orders/X.v1.avsc at lines[].sku`. */
  add(where: string, message: string): void {
    this.#lines.add(`${where}: ${message}`)
  }

  /** @throws InvalidContractError that names every problem; nothing when there is none. */
  throwIfAny(): void {
    const lines = [...this.#lines]
    if (lines.length === 0) return
    if (lines.length === 1) throw new InvalidContractError(`the contracts have a problem: ${lines[0]}`)
    const list = lines.map((line) => `\n- ${line}`).join('')
    throw new InvalidContractError(`the contracts have ${lines.length} problems:${list}`)
  }
}
