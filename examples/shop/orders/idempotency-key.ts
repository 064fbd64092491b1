import { ProblemError } from '../platform/problem.ts'

const rule = /^[\x21-\x7e]{1,128}$/

/**
 * Reads the `Idempotency-Key` of a request: 1 to 128 visible ASCII characters. A key belongs to its customer and is kept as
 * long as the order it made.
 *
 * @throws ProblemError 400
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  if (typeof header === 'string' && rule.test(header)) return header
  throw new ProblemError({
    status: 400,
    code: 'invalid-idempotency-key',
    title: 'The Idempotency-Key is not usable',
    detail: 'Send one Idempotency-Key of 1 to 128 visible ASCII characters, a UUID for one. Nothing was ordered.',
    errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 128 visible ASCII characters' }],
  })
}
