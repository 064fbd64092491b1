import type { Evidence } from './evidence.ts'
import type { Finding, FindingKind } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** Whether the pieces of each cart were told once each, and applied to its mirror once each and in order, without a gap. */
export function checkCarts({ carts, mirror, applied }: Evidence, ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const add = (kind: FindingKind, cartId: string, message: string, scenario?: number) =>
    findings.push({ kind, about: cartId, message, scenario })
  const pieces = new Map(carts.map((cart) => [cart.cartId, cart.pieces]))
  const told = new Map<string, Map<number, number>>()
  for (const { begun, outcome, answer } of ledger.operations) {
    if (begun.wish !== 'piece' || outcome !== 'ok' || typeof answer !== 'number') continue
    const own = told.get(begun.cartId) ?? new Map<number, number>()
    told.set(begun.cartId, own)
    const earlier = own.get(answer)
    if (earlier !== undefined)
      add(
        'lost',
        begun.cartId,
        `told two clients that it has ${answer} pieces: one of the pieces was lost`,
        begun.scenario,
      )
    own.set(answer, begun.scenario)
    if (answer > (pieces.get(begun.cartId) ?? 0))
      add(
        'lost',
        begun.cartId,
        `was said to have ${answer} pieces, but has ${pieces.get(begun.cartId) ?? 0}`,
        begun.scenario,
      )
  }
  const scenarioOf = (cartId: string, piece: number) => told.get(cartId)?.get(piece)
  const removed = new Set(ledger.of('truncated').flatMap(({ pieces }) => pieces.map(nameOf)))
  const isGap = (cartId: string, from: number, to: number) => {
    for (let piece = from; piece < to; piece++) if (!removed.has(nameOf({ cartId, pieces: piece }))) return true
    return false
  }
  const last = new Map<string, number>()
  const seen = new Map<string, Set<number>>()
  for (const { cartId, pieces: piece } of applied) {
    const own = seen.get(cartId) ?? new Set<number>()
    seen.set(cartId, own)
    const before = last.get(cartId) ?? 0
    if (own.has(piece))
      add('applied twice', cartId, `piece ${piece} was applied more than once`, scenarioOf(cartId, piece))
    else if (piece <= before || isGap(cartId, before + 1, piece))
      add('out of order', cartId, `piece ${piece} was applied after piece ${before}`, scenarioOf(cartId, piece))
    own.add(piece)
    last.set(cartId, Math.max(before, piece))
  }
  const copies = new Map(mirror.map((cart) => [cart.cartId, cart.pieces]))
  for (const [cartId, count] of pieces) {
    const own = seen.get(cartId)
    for (let piece = 1; piece <= count; piece++)
      if (own?.has(piece) !== true && !removed.has(nameOf({ cartId, pieces: piece })))
        add('lost', cartId, `piece ${piece} of ${count} was never applied`, scenarioOf(cartId, piece))
    if (copies.get(cartId) !== count) add('books', cartId, `has ${count} pieces, its mirror ${copies.get(cartId) ?? 0}`)
  }
  return findings
}

function nameOf({ cartId, pieces }: { readonly cartId: string; readonly pieces: number }): string {
  return `${cartId} ${pieces}`
}
