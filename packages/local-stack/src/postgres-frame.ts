/** One message of PostgreSQL's protocol, as far as faults choose by it. */
export interface PostgresMessage {
  /** The letter that begins it, such as `Q` for a query or `C` for a command that is complete; empty for those of the start. */
  readonly type: string
  /** Of a message that has a statement carried out (`Q`, `B`): its text. */
  readonly sql?: string
  /** Of an answer that a command is complete (`C`): what the server did, such as `COMMIT` or `INSERT 0 1`. */
  readonly tag?: string
  readonly bytes: Buffer
}

const LENGTH_BYTES = 4

/** Cuts a stream of messages into single ones, whatever pieces the bytes come in. */
export class PostgresFrameReader {
  #rest: Buffer = Buffer.alloc(0)
  /** Whether messages begin with a letter by now; the first ones of a client do not. */
  #typed: boolean

  constructor(typed: boolean) {
    this.#typed = typed
  }

  push(chunk: Buffer): Buffer[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    for (;;) {
      const start = this.#typed ? 1 : 0
      if (rest.length < start + LENGTH_BYTES) break
      const end = start + rest.readInt32BE(start)
      if (rest.length < end) break
      const frame = rest.subarray(0, end)
      frames.push(frame)
      rest = rest.subarray(end)
      // Whoever asks for encryption begins again afterwards.
      if (!this.#typed && !asksForEncryption(frame)) this.#typed = true
    }
    this.#rest = rest
    return frames
  }
}

/** Whether a message of the start asks for TLS or GSSAPI. */
export function asksForEncryption(frame: Buffer): boolean {
  if (frame.length !== 8) return false
  const code = frame.readInt32BE(LENGTH_BYTES)
  return code === 80_877_103 || code === 80_877_104
}

/** The text that begins at `start` and ends with a zero, and where the next one begins. */
export function readText(bytes: Buffer, start: number): { readonly text: string; readonly next: number } {
  const end = bytes.indexOf(0, start)
  return end === -1
    ? { text: bytes.toString('utf8', start), next: bytes.length }
    : { text: bytes.toString('utf8', start, end), next: end + 1 }
}
