import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { Charge, type ChargeRequest, type ChargeStatus } from './charge.ts'

const Entry = z.object({ idempotencyKey: z.string(), request: z.string(), charge: Charge })
type Entry = z.infer<typeof Entry>

/** What the provider has charged: one charge per idempotency key, whatever is asked how often. */
export class ChargeLedger {
  readonly #byKey = new Map<string, Entry>()
  readonly #byId = new Map<string, Entry>()
  readonly #file: string | undefined

  /** @param file keeps the ledger across restarts, one line for each change. */
  constructor(file: string | undefined) {
    this.#file = file
    if (file === undefined || !existsSync(file)) return
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const entry = readEntry(line)
      if (entry !== undefined) this.#remember(entry)
    }
  }

  /** The charge of a key; `'other-request'` when the key was used for something else. */
  find(idempotencyKey: string, request: ChargeRequest): Charge | 'other-request' | undefined {
    const entry = this.#byKey.get(idempotencyKey)
    if (entry === undefined) return undefined
    return entry.request === canonical(request) ? entry.charge : 'other-request'
  }

  open(
    idempotencyKey: string,
    request: ChargeRequest,
    outcome: { chargeId: string; status: ChargeStatus; reason: string | null },
  ): Charge {
    const { reference, amount, currency } = request
    const charge = { ...outcome, reference, amount, currency }
    this.#write({ idempotencyKey, request: canonical(request), charge })
    return charge
  }

  /** Ends a pending charge; one that has ended stays as it is. */
  succeed(chargeId: string): Charge | undefined {
    const entry = this.#byId.get(chargeId)
    if (entry?.charge.status !== 'pending') return entry?.charge
    const charge: Charge = { ...entry.charge, status: 'succeeded' }
    this.#write({ ...entry, charge })
    return charge
  }

  get(chargeId: string): Charge | undefined {
    return this.#byId.get(chargeId)?.charge
  }

  all(): Charge[] {
    return [...this.#byId.values()].map((entry) => entry.charge)
  }

  #write(entry: Entry): void {
    // Synchronous on purpose: a charge must not be answered before it is kept, and this is a sandbox.
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
    this.#remember(entry)
  }

  #remember(entry: Entry): void {
    this.#byKey.set(entry.idempotencyKey, entry)
    this.#byId.set(entry.charge.chargeId, entry)
  }
}

/** `undefined` for an empty line, and for a last one that a crash cut off. */
function readEntry(line: string): Entry | undefined {
  try {
    return Entry.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

function canonical({ amount, currency, cardToken, reference }: ChargeRequest): string {
  return JSON.stringify([amount, currency, cardToken, reference])
}
