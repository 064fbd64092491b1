import type { RawMessage } from '../core/message.ts'

/** What the relay could not send as it is: seen, tried again, or thrown away by a human. */
export interface SetAside {
  /** Rows that are at fault, oldest first, each with the number of rows that wait behind it. */
  list(options?: { readonly limit?: number }): Promise<readonly SetAsideRow[]>
  /** Puts a row and what waits behind it back, to be sent in their old order; tells whether it was there. */
  retry(id: string): Promise<boolean>
  /** Deletes a row for good and lets what waits behind it go on; tells whether it was there. */
  discard(id: string): Promise<boolean>
}

export interface SetAsideRow {
  readonly id: string
  readonly message: RawMessage
  readonly errorCode: string
  readonly errorMessage: string
  readonly setAsideAt: Date
  /** Later rows of the same topic and key, which stay in order behind this one. */
  readonly waitingBehind: number
}
