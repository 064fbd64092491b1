import type { Queryable } from '@evtkit/sdk/postgres'

/** What there is of one product. */
export interface StockLevel {
  readonly sku: string
  readonly onHand: number
  readonly reserved: number
}

export async function readStock(sql: Queryable): Promise<StockLevel[]> {
  const { rows } = await sql.query('select sku, on_hand, reserved from stock order by sku')
  return rows.map((row) => ({ sku: String(row.sku), onHand: Number(row.on_hand), reserved: Number(row.reserved) }))
}
