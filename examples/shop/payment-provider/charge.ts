import { z } from 'zod'

/** What a client of the provider asks for. */
export const ChargeRequest = z.strictObject({
  amount: z.int().positive(),
  currency: z.string().regex(/^[A-Z]{3}$/),
  cardToken: z.string().min(1).max(100),
  /** The client's own name for what is paid. */
  reference: z.string().min(1).max(100),
})
export type ChargeRequest = z.infer<typeof ChargeRequest>

export type ChargeStatus = 'pending' | 'succeeded' | 'declined'

/** A charge as the provider answers it and lists it. */
export const Charge = z.object({
  chargeId: z.string(),
  reference: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['pending', 'succeeded', 'declined']),
  /** Why it was declined. */
  reason: z.string().nullable(),
})
export type Charge = z.infer<typeof Charge>

/** How the sandbox treats a card, by its token. */
export type CardManner = 'pays' | 'declines' | 'hangs-first' | 'fails-first' | 'answers-twice'

const manners: ReadonlyMap<string, CardManner> = new Map([
  ['tok_ok', 'pays'],
  ['tok_declined', 'declines'],
  ['tok_timeout', 'hangs-first'],
  ['tok_unavailable', 'fails-first'],
  ['tok_twice', 'answers-twice'],
])

/** `undefined` for a card the sandbox does not know. */
export function mannerOf(cardToken: string): CardManner | undefined {
  return manners.get(cardToken)
}
