import type { AboutOrder, Money } from '../contracts/index.ts'

/** Everything the checks look at, as plain data. */
export interface Books {
  /** The orders whose end is looked for. */
  readonly orders: readonly OrderEntry[]
  /** Every event of every topic from its beginning, each once. */
  readonly facts: readonly BookFact[]
  readonly stock: readonly StockEntry[]
  /** The payment provider's own ledger. */
  readonly charges: readonly ChargeEntry[]
  /** What the mail server has received, each distinct mail once. */
  readonly mails: readonly MailEntry[]
}

export type BookFact = AboutOrder

/** An order as its own service tells it. */
export interface OrderEntry {
  readonly orderId: string
  /** `unknown` when the shop has no such order. */
  readonly status: string
  readonly total: Money | null
}

export interface StockEntry {
  readonly sku: string
  readonly onHand: number
  readonly reserved: number
}

export interface ChargeEntry {
  readonly chargeId: string
  /** The order that was paid. */
  readonly reference: string
  readonly amount: number
  readonly currency: string
  readonly status: string
}

export interface MailEntry {
  readonly messageId: string
  readonly orderId: string
}

/** Something that does not add up. */
export interface Discrepancy {
  /** Such as `order 0199…` or `stock of mug`. */
  readonly about: string
  readonly message: string
}
