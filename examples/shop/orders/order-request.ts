import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ProblemError } from '../platform/problem.ts'

/** Text from outside: no control characters (PostgreSQL has no NUL), no halves of characters, not only blanks. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'must not contain control characters or broken Unicode')
    .refine((value) => value.trim() !== '', 'must not be blank')

/** What a client may say about an order. Anything else, a price or a status for one, is refused, not ignored. */
export const OrderRequest = z.strictObject({
  customerId: text(64),
  email: z.email().max(200),
  /** Stands for the card at the payment provider; the card's number never comes here. */
  cardToken: z.string().regex(/^tok_[a-z0-9_]{1,60}$/, 'must be a card token such as "tok_ok"'),
  lines: z
    .array(z.strictObject({ sku: text(64), quantity: z.int().min(1).max(1000) }))
    .min(1)
    .max(50)
    .superRefine((lines, context) => {
      const seen = new Set<string>()
      for (const [index, { sku }] of lines.entries()) {
        if (seen.has(sku))
          context.addIssue({ code: 'custom', path: [index, 'sku'], message: 'appears twice; add up the quantities' })
        seen.add(sku)
      }
    }),
  shippingAddress: z.strictObject({
    name: text(120),
    street: text(200),
    city: text(120),
    postalCode: text(20),
    country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code such as "DE"'),
  }),
})
export type OrderRequest = z.infer<typeof OrderRequest>

/** @throws ProblemError 400 with the path of each wrong field. */
export function readOrderRequest(body: unknown): OrderRequest {
  const read = OrderRequest.safeParse(body)
  if (read.success) return read.data
  throw new ProblemError({
    status: 400,
    code: 'invalid-order',
    title: 'The order is not valid',
    detail: `${read.error.issues.length} field(s) are wrong; nothing was ordered.`,
    // A body of thousands of wrong fields must not come back as an answer of thousands.
    errors: read.error.issues.slice(0, 20).map((issue) => ({
      path: [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])]
        .join('.')
        .slice(0, 200),
      message: issue.code === 'unrecognized_keys' ? 'is not a field of an order' : issue.message,
    })),
  })
}

/** The same for the same order, whatever the order of its fields in the body. */
export function fingerprint({ customerId, email, cardToken, lines, shippingAddress }: OrderRequest): string {
  const { name, street, city, postalCode, country } = shippingAddress
  const canonical = [
    customerId,
    email,
    cardToken,
    lines.map(({ sku, quantity }) => [sku, quantity]),
    [name, street, city, postalCode, country],
  ]
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex')
}
