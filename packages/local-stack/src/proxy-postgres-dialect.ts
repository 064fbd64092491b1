import type { Direction } from './fault.ts'
import { asksForEncryption, PostgresFrameReader, type PostgresMessage, readText } from './postgres-frame.ts'
import type { Dialect, Piece } from './proxy-dialect.ts'

/** Where the text of a message begins, behind its letter and its length. */
const TEXT_AT = 5

/** PostgreSQL's protocol on one connection. Answers are known by what the server says of them. */
export class PostgresDialect implements Dialect<PostgresMessage> {
  readonly #requests = new PostgresFrameReader(false)
  readonly #responses = new PostgresFrameReader(true)
  /** Texts of prepared statements, by name. */
  readonly #statements = new Map<string, string>()
  #started = false

  read(direction: Direction, chunk: Buffer): readonly Piece<PostgresMessage>[] {
    const isRequest = direction === 'request'
    const frames = (isRequest ? this.#requests : this.#responses).push(chunk)
    return frames.map((bytes) => ({ bytes, subject: isRequest ? this.#request(bytes) : answer(bytes) }))
  }

  answerTo({ bytes, subject }: Piece<PostgresMessage>): Buffer | undefined {
    // What is encrypted could not be told apart, so the proxy says no in the server's place.
    return subject?.type === '' && asksForEncryption(bytes) ? Buffer.from('N') : undefined
  }

  #request(bytes: Buffer): PostgresMessage {
    if (!this.#started) {
      this.#started = !asksForEncryption(bytes)
      return { type: '', bytes }
    }
    const type = String.fromCharCode(bytes[0] ?? 0)
    if (type === 'Q') return { type, bytes, sql: readText(bytes, TEXT_AT).text }
    if (type === 'P') {
      const name = readText(bytes, TEXT_AT)
      this.#statements.set(name.text, readText(bytes, name.next).text)
    } else if (type === 'B') {
      const name = readText(bytes, readText(bytes, TEXT_AT).next).text
      return { type, bytes, sql: this.#statements.get(name) ?? '' }
    }
    return { type, bytes }
  }
}

function answer(bytes: Buffer): PostgresMessage {
  const type = String.fromCharCode(bytes[0] ?? 0)
  return type === 'C' ? { type, bytes, tag: readText(bytes, TEXT_AT).text } : { type, bytes }
}
