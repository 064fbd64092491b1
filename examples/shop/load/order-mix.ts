/** What makes an order of the mix worth looking at. */
export type OrderKind = 'plain' | 'large' | 'declined' | 'sold-out' | 'last-pieces' | 'slow-provider' | 'two-callbacks'

export interface MixedOrder {
  readonly kind: OrderKind
  /** The body for `POST /orders`. */
  readonly body: object
}

/** One round of the mix; two of every twelve orders are cancelled for sure. */
const round: readonly OrderKind[] = [
  'plain',
  'large',
  'declined',
  'plain',
  'sold-out',
  'slow-provider',
  'plain',
  'two-callbacks',
  'plain',
  'last-pieces',
  'large',
  'plain',
]

const buyers = [
  { id: 'ada', name: 'Ada Lovelace', city: 'London', postalCode: 'W1J', country: 'GB' },
  { id: 'alan', name: 'Alan Turing', city: 'Manchester', postalCode: 'M13', country: 'GB' },
  { id: 'grace', name: 'Grace Hopper', city: 'New York', postalCode: '10001', country: 'US' },
  { id: 'emmy', name: 'Emmy Noether', city: 'Erlangen', postalCode: '91054', country: 'DE' },
] as const

const goods = ['mug', 'notebook', 'teapot', 'lamp', 'poster'] as const

/** The `index`-th order of the mix, always the same one. */
export function mixedOrder(index: number): MixedOrder {
  const planned = round[index % round.length] ?? 'plain'
  // Waiting for a provider that hangs is worth showing, not worth waiting for in every round of a long run.
  const kind = planned === 'slow-provider' && index >= round.length && index % 96 >= round.length ? 'plain' : planned
  const buyer = buyers[index % buyers.length] ?? buyers[0]
  const { id, ...place } = buyer
  return {
    kind,
    body: {
      customerId: id,
      email: `${id}@example.com`,
      cardToken: cardFor(kind),
      lines: linesFor(kind, index),
      shippingAddress: { ...place, street: `${1 + (index % 90)} Example Road` },
    },
  }
}

function cardFor(kind: OrderKind): string {
  if (kind === 'declined') return 'tok_declined'
  if (kind === 'slow-provider') return 'tok_timeout'
  if (kind === 'two-callbacks') return 'tok_twice'
  return 'tok_ok'
}

function linesFor(kind: OrderKind, index: number): { sku: string; quantity: number }[] {
  const good = (step: number) => goods[(index + step) % goods.length] ?? 'mug'
  if (kind === 'sold-out')
    return [
      { sku: good(0), quantity: 1 },
      { sku: 'first-edition', quantity: 1 },
    ]
  if (kind === 'last-pieces') return [{ sku: 'signed-print', quantity: 1 }]
  if (kind === 'large') return [0, 1, 2].map((step) => ({ sku: good(step), quantity: 2 + step }))
  return [{ sku: good(0), quantity: 1 + (index % 3) }]
}
