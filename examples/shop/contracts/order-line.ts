import { z } from 'zod'

/** One line of an order, priced when the order was created. */
export const OrderLine = z.object({
  sku: z.string().min(1),
  quantity: z.int().positive(),
  /** Minor units of the order's currency, for one piece. */
  unitPrice: z.int().nonnegative(),
})
export type OrderLine = z.infer<typeof OrderLine>

/** How many pieces of what, for those who do not care about prices. */
export const StockLine = z.object({ sku: z.string().min(1), quantity: z.int().positive() })
export type StockLine = z.infer<typeof StockLine>
