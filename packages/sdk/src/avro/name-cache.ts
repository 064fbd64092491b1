/**
 * The names in maps, of which there are few and which come again in every record. JavaScript keeps one copy of each text that
 * is the name of a property; finding it for a new text takes longer than reading the rest of a small map.
 */
export class NameCache {
  readonly #names: (string | undefined)[] = new Array(slots).fill(undefined)

  /** The name that these bytes are, if they came before. */
  find(bytes: Buffer, at: number, length: number): string | undefined {
    const name = this.#names[slotOf(bytes, at, length)]
    if (name === undefined || name.length !== length) return undefined
    for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes[at + i]) return undefined
    return name
  }

  /** Gives the copy of a name that JavaScript keeps, and remembers it in the place of another one. */
  keep(text: string, bytes: Buffer, at: number, length: number): string {
    const [name = text] = Object.keys({ [text]: 0 })
    // Only where a character is a byte can names be compared with bytes.
    if (length === text.length && length <= longestKept) this.#names[slotOf(bytes, at, length)] = name
    return name
  }
}

const slots = 256
/** Longer ones are no names but data, such as addresses. */
const longestKept = 64

function slotOf(bytes: Buffer, at: number, length: number): number {
  if (length === 0) return 0
  const first = bytes[at] ?? 0
  const middle = bytes[at + (length >> 1)] ?? 0
  const last = bytes[at + length - 1] ?? 0
  return (length * 31 + first * 7 + middle * 13 + last * 3) & (slots - 1)
}
