import { z } from 'zod'

/** An amount in minor units: 4200 EUR cents are 42.00 EUR. Never a fraction. */
export const Money = z.object({
  amount: z.int().nonnegative(),
  currency: z.string().regex(/^[A-Z]{3}$/),
})
export type Money = z.infer<typeof Money>
