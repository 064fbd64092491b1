/** Bodies for `POST /orders`: one that is right, and many that are wrong. */

/** @param over fields to replace or add. */
export function anOrder(over: object = {}): object {
  return {
    customerId: 'ada',
    email: 'ada@example.com',
    cardToken: 'tok_ok',
    lines: [{ sku: 'mug', quantity: 2 }],
    shippingAddress: { name: 'Ada', street: '1 Example Road', city: 'London', postalCode: 'W1J', country: 'GB' },
    ...over,
  }
}

type BadOrder = readonly [what: string, body: unknown, status: number, paths: readonly string[]]

const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`

/** What is wrong, the body, the status it gets, and the paths the answer must name. */
export const badOrders: readonly BadOrder[] = [
  ['no body at all', '', 400, []],
  ['no JSON', '{"customerId":', 400, []],
  ['a list', [], 400, ['']],
  ['nothing in it', {}, 400, ['customerId', 'email', 'cardToken', 'lines', 'shippingAddress']],
  ['a quantity of nothing', anOrder({ lines: [{ sku: 'mug', quantity: 0 }] }), 400, ['lines.0.quantity']],
  ['half a mug', anOrder({ lines: [{ sku: 'mug', quantity: 0.5 }] }), 400, ['lines.0.quantity']],
  ['an endless number', JSON.stringify(anOrder()).replace('2}', '1e400}'), 400, ['lines.0.quantity']],
  ['no lines', anOrder({ lines: [] }), 400, ['lines']],
  [
    'a product twice',
    anOrder({
      lines: [
        { sku: 'mug', quantity: 1 },
        { sku: 'mug', quantity: 1 },
      ],
    }),
    400,
    ['lines.1.sku'],
  ],
  ['a price of its own', anOrder({ price: 1 }), 400, ['price']],
  ['a status of its own', anOrder({ status: 'shipped' }), 400, ['status']],
  [
    'a unit price in a line',
    anOrder({ lines: [{ sku: 'mug', quantity: 1, unitPrice: 1 }] }),
    400,
    ['lines.0.unitPrice'],
  ],
  ['no mail address', anOrder({ email: 'ada' }), 400, ['email']],
  ['a line break in the mail address', anOrder({ email: 'ada@example.com\nbcc:x@example.com' }), 400, ['email']],
  ['a NUL in a text', anOrder({ customerId: 'a\u0000' }), 400, ['customerId']],
  ['half a character', JSON.stringify(anOrder()).replace('"ada"', '"\\ud800"'), 400, ['customerId']],
  ['a card number instead of a token', anOrder({ cardToken: '4242424242424242' }), 400, ['cardToken']],
  ['a product the shop does not sell', anOrder({ lines: [{ sku: 'unicorn', quantity: 1 }] }), 422, ['lines.0.sku']],
  ['a hostile key', '{"__proto__":{"admin":true}}', 400, []],
  ['a hostile constructor', '{"constructor":{"prototype":{"admin":true}}}', 400, []],
  ['a body as deep as it is wide', deep, 400, []],
  ['a body that is too large', anOrder({ customerId: 'x'.repeat(40_000) }), 413, []],
]
