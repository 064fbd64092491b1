import { InventoryReleased, InventoryReserved } from '../contracts/index.ts'
import type { Books, Discrepancy } from './books.ts'
import { factsOf } from './facts-of.ts'

/** What is set aside is what was reserved and not released, and never more than there is. */
export function checkStock({ facts, stock }: Books): Discrepancy[] {
  const reserved = new Map<string, number>()
  const add = (lines: readonly { sku: string; quantity: number }[], sign: 1 | -1) => {
    for (const { sku, quantity } of lines) reserved.set(sku, (reserved.get(sku) ?? 0) + sign * quantity)
  }
  for (const { data } of factsOf(facts, InventoryReserved)) add(data.lines, 1)
  for (const { data } of factsOf(facts, InventoryReleased)) add(data.lines, -1)

  const found: Discrepancy[] = []
  for (const entry of stock) {
    const about = `stock of ${entry.sku}`
    const expected = reserved.get(entry.sku) ?? 0
    reserved.delete(entry.sku)
    if (entry.reserved !== expected)
      found.push({ about, message: `${entry.reserved} are set aside, but the events say ${expected}` })
    if (entry.reserved > entry.onHand)
      found.push({ about, message: `${entry.reserved} are set aside of ${entry.onHand} there are` })
  }
  for (const [sku, expected] of reserved)
    if (expected !== 0)
      found.push({ about: `stock of ${sku}`, message: `events reserved ${expected}, but there is no such stock` })
  return found
}
