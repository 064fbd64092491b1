import type { Money, OrderLine, StockLine } from '../contracts/index.ts'

/** What a product is sold for. Minor units of the shop's currency, for one piece. */
interface Product {
  readonly name: string
  readonly unitPrice: number
}

export const currency = 'EUR'

/** The shop's small fixed range. Prices come from here, never from the client. */
export const catalogue: ReadonlyMap<string, Product> = new Map([
  ['mug', { name: 'Mug', unitPrice: 1250 }],
  ['notebook', { name: 'Notebook', unitPrice: 690 }],
  ['teapot', { name: 'Teapot', unitPrice: 4200 }],
  ['lamp', { name: 'Lamp', unitPrice: 8900 }],
  ['poster', { name: 'Poster', unitPrice: 1500 }],
  ['signed-print', { name: 'Signed print', unitPrice: 12_000 }],
  ['first-edition', { name: 'First edition', unitPrice: 25_000 }],
])

/** An order as it will be charged. */
export interface PricedOrder {
  readonly lines: readonly OrderLine[]
  readonly total: Money
}

/** Prices an order, or names the indexes of the lines whose product the shop does not sell. */
export function price(lines: readonly StockLine[]): PricedOrder | { readonly unknown: readonly number[] } {
  const priced: OrderLine[] = []
  const unknown: number[] = []
  for (const [index, { sku, quantity }] of lines.entries()) {
    const product = catalogue.get(sku)
    if (product === undefined) unknown.push(index)
    else priced.push({ sku, quantity, unitPrice: product.unitPrice })
  }
  if (unknown.length > 0) return { unknown }
  const amount = priced.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0)
  return { lines: priced, total: { amount, currency } }
}
