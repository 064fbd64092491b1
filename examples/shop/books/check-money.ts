import { PaymentProcessed } from '../contracts/index.ts'
import type { Books, Discrepancy } from './books.ts'
import { factsOf } from './facts-of.ts'

/** The provider has charged exactly what the events say: each paid order once, its total, and nobody else. */
export function checkMoney({ orders, facts, charges }: Books): Discrepancy[] {
  const found: Discrepancy[] = []
  const totals = new Map(orders.map((order) => [order.orderId, order.total]))
  const charged = new Map<string, { chargeId: string; amount: number }>()
  for (const { status, reference, chargeId, amount } of charges) {
    if (status !== 'succeeded') continue
    if (charged.has(reference)) found.push({ about: `order ${reference}`, message: 'its card was charged twice' })
    charged.set(reference, { chargeId, amount })
    const total = totals.get(reference)
    if (total != null && total.amount !== amount)
      found.push({ about: `order ${reference}`, message: `was charged ${amount}, but costs ${total.amount}` })
  }
  for (const { data } of factsOf(facts, PaymentProcessed)) {
    const about = `order ${data.orderId}`
    const charge = charged.get(data.orderId)
    charged.delete(data.orderId)
    if (charge === undefined) found.push({ about, message: 'PaymentProcessed, but its card was not charged' })
    else if (charge.chargeId !== data.chargeId || charge.amount !== data.total.amount)
      found.push({
        about,
        message: `PaymentProcessed tells of ${data.chargeId} over ${data.total.amount}, the provider of ${charge.chargeId} over ${charge.amount}`,
      })
  }
  for (const [reference, { chargeId }] of charged)
    found.push({ about: `order ${reference}`, message: `its card was charged (${chargeId}) without PaymentProcessed` })
  return found
}
