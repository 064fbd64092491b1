import { createHash } from 'node:crypto'

/** What is stuck on a parcel. */
export interface Label {
  readonly carrier: string
  readonly trackingNumber: string
}

/** The label of an order's parcel: the same however often it is made. */
export function labelFor(orderId: string): Label {
  const digits = BigInt(`0x${createHash('sha256').update(orderId).digest('hex').slice(0, 32)}`) % 10n ** 18n
  return { carrier: 'Snail Express', trackingNumber: `SE${String(digits).padStart(18, '0')}` }
}

const travelDays = 3

/**
 * The day on which a parcel that is labelled now will be delivered, as `2026-01-31` in UTC: snails are slow but sure.
 *
 * @param now milliseconds since the epoch.
 */
export function deliveryDay(now: number): string {
  return new Date(now + travelDays * 24 * 3_600_000).toISOString().slice(0, 10)
}
