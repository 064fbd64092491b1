import { isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { ContractProblems } from './contract-problems.ts'

/** A YAML file whose problems are told with their lines. */
export class YamlFile {
  readonly #name: string
  readonly #problems: ContractProblems
  readonly #lines = new LineCounter()
  readonly #document
  /** Whether it is YAML at all. */
  readonly isReadable: boolean

  constructor(name: string, text: string, problems: ContractProblems) {
    this.#name = name
    this.#problems = problems
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    const [first, ...others] = this.#document.errors
    this.isReadable = first === undefined
    if (first === undefined) return
    // What is wrong behind the first is read as something it was not meant to be.
    const more = others.length === 0 ? '' : ` (and ${others.length} more behind it, which may follow from this)`
    problems.add(`${name} line ${this.#lines.linePos(first.pos[0]).line}`, `${first.message}${more}`)
  }

  /** Its content, of which nothing is known yet. */
  content(): unknown {
    try {
      return this.#document.toJS()
    } catch (error) {
      // An alias that leads nowhere, or to so much that reading it would not end.
      const offset = this.#lostAlias()
      const where = offset === undefined ? this.#name : `${this.#name} line ${this.#lines.linePos(offset).line}`
      this.#problems.add(where, error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  /** Where the first alias is that leads nowhere. */
  #lostAlias(): number | undefined {
    let offset: number | undefined
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) !== undefined) return undefined
        offset = alias.range?.[0]
        return visit.BREAK
      },
    })
    return offset
  }

  /** Says that something is wrong at a path, or at the nearest thing around it that has a line. */
  problem(path: readonly string[], message: string): void {
    const line = this.#lineOf(path)
    this.#problems.add(line === undefined ? this.#name : `${this.#name} line ${line}`, message)
  }

  /**
   * The entries of a map whose values are maps too, such as topics by name; each that is something else is a problem.
   */
  entriesOf(value: unknown, path: readonly string[], what: string): (readonly [string, YamlObject])[] {
    if (!isObject(value)) {
      this.problem(path, `expected ${what}, got ${describe(value)}`)
      return []
    }
    const entries: (readonly [string, YamlObject])[] = []
    for (const [name, inside] of Object.entries(value)) {
      if (isObject(inside)) entries.push([name, inside])
      else this.problem([...path, name], `${name}: expected its options, got ${describe(inside)}`)
    }
    return entries
  }

  /** Every name that is not among the known ones is a problem. */
  onlyKnown(object: YamlObject, path: readonly string[], known: readonly string[], what: string): void {
    for (const name of Object.keys(object))
      if (!known.includes(name))
        this.problem([...path, name], `${what}: unknown option "${name}"; known are ${known.join(', ')}`)
  }

  text(object: YamlObject, name: string, path: readonly string[], what: string): string {
    const value = object[name]
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
    this.problem([...path, name], `${what}: "${name}" must be text, got ${describe(value)}`)
    return ''
  }

  texts(object: YamlObject, name: string, path: readonly string[], what: string): readonly string[] {
    const value = object[name]
    if (value === undefined) return []
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      const twice = value.find((item, index) => value.indexOf(item) !== index)
      if (twice !== undefined) this.problem([...path, name], `${what}: "${name}" lists ${twice} twice`)
      return [...new Set(value)]
    }
    this.problem([...path, name], `${what}: "${name}" must be a list of texts, got ${describe(value)}`)
    return []
  }

  #lineOf(path: readonly string[]): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const offset = this.#offsetOf(path.slice(0, length))
      if (offset !== undefined) return this.#lines.linePos(offset).line
    }
    return undefined
  }

  /** Where the name of the last step stands: a value may begin on a later line. */
  #offsetOf(path: readonly string[]): number | undefined {
    const parents = path.slice(0, -1)
    const around = parents.length === 0 ? this.#document.contents : this.#document.getIn(parents, true)
    if (!isMap<Node, Node>(around)) return undefined
    const pair = around.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1))
    return pair?.key.range?.[0]
  }
}

export type YamlObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value in a message, short. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
