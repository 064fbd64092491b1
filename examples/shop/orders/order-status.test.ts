import { describe, expect, test } from 'vitest'
import { advance, type OrderFact, type OrderStatus } from './order-status.ts'

/** Lets facts arrive one after the other; tells where the order ends and what it said on the way. */
const live = (facts: readonly OrderFact[]) => {
  let status: OrderStatus = 'placed'
  const said: string[] = []
  for (const fact of facts) {
    const move = advance(status, fact)
    if (move === null) continue
    status = move.status
    said.push(...move.consequences.map((consequence) => consequence.event))
  }
  return { status, said }
}

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) =>
        permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
      )

describe('the life of an order', () => {
  test('paid, labelled and told, it is confirmed and then shipped, in whatever order the facts arrive', () => {
    for (const facts of permutations<OrderFact>(['stock-reserved', 'paid', 'parcel-labelled', 'customer-told']))
      expect(live(facts), facts.join(' ')).toEqual({ status: 'shipped', said: ['OrderConfirmed', 'OrderShipped'] })
  })

  test('declined, it is cancelled once, also when the refusal overtakes the reservation', () => {
    for (const facts of permutations<OrderFact>(['stock-reserved', 'payment-declined', 'payment-declined']))
      expect(live(facts), facts.join(' ')).toEqual({ status: 'cancelled', said: ['OrderCancelled'] })
  })

  test('out of stock, it is cancelled with that reason', () => {
    expect(advance('placed', 'stock-missing')).toEqual({
      status: 'cancelled',
      consequences: [{ event: 'OrderCancelled', reason: 'out_of_stock' }],
    })
  })

  test('every fact heard twice changes nothing more', () => {
    const facts: OrderFact[] = ['stock-reserved', 'paid', 'parcel-labelled', 'customer-told']
    expect(live(facts.flatMap((fact) => [fact, fact]))).toEqual(live(facts))
  })

  test.each(['shipped', 'cancelled'] as const)('nothing leaves %s', (end) => {
    const facts: OrderFact[] = [
      'stock-reserved',
      'stock-missing',
      'paid',
      'payment-declined',
      'parcel-labelled',
      'customer-told',
    ]
    for (const fact of facts) expect(advance(end, fact)).toBeNull()
  })

  test('a refusal cannot take back a payment', () => {
    expect(advance('confirmed', 'payment-declined')).toBeNull()
  })
})
