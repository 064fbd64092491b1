import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../platform/problem.ts'
import { type Charge, ChargeRequest, mannerOf } from './charge.ts'
import type { ChargeLedger } from './charge-ledger.ts'

export interface ChargeDesk {
  readonly ledger: ChargeLedger
  readonly newChargeId: () => string
  /** Resolves after the time a hanging answer takes, or as soon as the provider closes. */
  readonly hang: () => Promise<void>
  /** Tells the client later what became of a pending charge. */
  readonly callBackLater: (charge: Charge) => void
}

export function addChargeRoutes(http: FastifyInstance, desk: ChargeDesk): void {
  const { ledger } = desk
  /** Keys that have failed once already. */
  const failed = new Set<string>()

  http.post('/charges', async (request, reply) => {
    const key = readKey(request.headers['idempotency-key'])
    const wanted = ChargeRequest.safeParse(request.body)
    if (!wanted.success)
      throw refusal(
        400,
        'invalid-charge',
        wanted.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
      )

    const earlier = ledger.find(key, wanted.data)
    if (earlier === 'other-request')
      throw refusal(422, 'key-reused', 'this Idempotency-Key was used for another charge')
    if (earlier !== undefined) return reply.code(statusOf(earlier)).send(earlier)

    const open = (status: Charge['status'], reason: string | null = null) =>
      ledger.open(key, wanted.data, { chargeId: desk.newChargeId(), status, reason })
    const manner = mannerOf(wanted.data.cardToken)
    if (manner === 'fails-first' && !failed.has(key)) {
      failed.add(key)
      throw refusal(503, 'unavailable', 'the sandbox is unavailable once for this card')
    }
    const charge =
      manner === undefined
        ? open('declined', 'unknown_card')
        : manner === 'declines'
          ? open('declined', 'card_declined')
          : manner === 'answers-twice'
            ? open('pending')
            : open('succeeded')
    if (manner === 'hangs-first') await desk.hang()
    if (charge.status === 'pending') desk.callBackLater(charge)
    return reply.code(statusOf(charge)).send(charge)
  })

  http.get<{ Params: { chargeId: string } }>('/charges/:chargeId', async (request) => {
    const charge = ledger.get(request.params.chargeId)
    if (charge === undefined) throw refusal(404, 'no-such-charge', 'there is no charge with this id')
    return charge
  })

  http.get('/charges', async () => ledger.all())
}

function statusOf(charge: Charge): number {
  return charge.status === 'succeeded' ? 201 : charge.status === 'pending' ? 202 : 402
}

function readKey(header: string | readonly string[] | undefined): string {
  if (typeof header === 'string' && header !== '' && header.length <= 200) return header
  throw refusal(400, 'no-idempotency-key', 'a charge needs one Idempotency-Key of at most 200 characters')
}

function refusal(status: number, code: string, detail: string): ProblemError {
  return new ProblemError({ status, code, title: 'The charge was not made', detail })
}
