import type { BookFact, ChargeEntry, MailEntry, StockEntry } from '../../books/books.ts'

/** What a run left behind in the log of the broker, in the databases and outside, as plain data. */
export interface Evidence {
  /** Every record of the live topics, by topic, partition and offset. */
  readonly records: readonly LoggedRecord[]
  readonly orders: readonly {
    readonly orderId: string
    readonly customerId: string
    readonly status: string
    readonly amount: number
  }[]
  readonly orderKeys: readonly {
    readonly customerId: string
    readonly idempotencyKey: string
    readonly orderId: string
  }[]
  readonly reservations: readonly { readonly orderId: string; readonly state: string }[]
  readonly stock: readonly StockEntry[]
  readonly charges: readonly ChargeEntry[]
  readonly mails: readonly MailEntry[]
  readonly inbox: readonly HandledEvent[]
  readonly rejected: readonly RejectedRecord[]
  /** Events whose handlers failed and that are not through: parked still, or dead letters. */
  readonly failed: readonly FailedRecord[]
  /** What relays gave up, and what is still in an outbox. */
  readonly setAside: readonly { readonly service: string; readonly topic: string; readonly error: string }[]
  readonly unsent: readonly { readonly service: string; readonly count: number }[]
  readonly carts: readonly { readonly cartId: string; readonly pieces: number }[]
  readonly mirror: readonly { readonly cartId: string; readonly pieces: number }[]
  /** What was applied to the mirror, in the order in which it was. */
  readonly applied: readonly { readonly cartId: string; readonly pieces: number; readonly eventId: string }[]
  /** What was handed to the mirror, applied or not. `at` in milliseconds since the epoch. */
  readonly deliveries: readonly { readonly eventId: string; readonly at: number }[]
}

export interface LoggedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  /** Undefined for a record that is no event. */
  readonly event: LoggedEvent | undefined
}

export interface LoggedEvent {
  readonly eventId: string
  readonly eventType: string
  /** The whole event where its bytes are JSON. */
  readonly fact: BookFact | undefined
}

export interface HandledEvent {
  readonly group: string
  readonly eventId: string
  readonly handler: string
  /** Milliseconds since the epoch. */
  readonly handledAt: number
}

export interface RejectedRecord {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
}

export interface FailedRecord extends RejectedRecord {
  readonly state: 'parked' | 'dead'
}

export function placeOf({ topic, partition, offset }: Pick<LoggedRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`
}
