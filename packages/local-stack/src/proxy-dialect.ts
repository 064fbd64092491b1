import type { Direction } from './fault.ts'

/** A part of the traffic that passes or fails as a whole. */
export interface Piece<Subject> {
  readonly bytes: Buffer
  /** What it is; undefined when no fault can be for it. */
  readonly subject: Subject | undefined
}

/** The language of one connection: cuts its bytes into pieces and says what each is. */
export interface Dialect<Subject> {
  /** The pieces that are whole now; bytes of others wait for the next call. */
  read(direction: Direction, chunk: Buffer): readonly Piece<Subject>[]
  /** What the proxy answers by itself to a piece from the client, in place of the server. */
  answerTo?(piece: Piece<Subject>): Buffer | undefined
}
