import { z } from 'zod'

/**
 * Who gets the goods and the mails, and where. It travels with the facts of an order, because the services downstream keep
 * no copy of the order and never ask for one.
 */
export const Recipient = z.object({
  email: z.string().min(3),
  name: z.string().min(1),
  street: z.string().min(1),
  city: z.string().min(1),
  postalCode: z.string().min(1),
  country: z.string().regex(/^[A-Z]{2}$/),
})
export type Recipient = z.infer<typeof Recipient>
