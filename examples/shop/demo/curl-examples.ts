import type { Colors } from 'picocolors/types.js'

/** Commands to copy, for a shop that stays up. */
export function curlExamples(url: string, orderId: string, { bold, dim }: Colors): string {
  const order = JSON.stringify({
    customerId: 'ada',
    email: 'ada@example.com',
    cardToken: 'tok_ok',
    lines: [{ sku: 'teapot', quantity: 1 }],
    shippingAddress: {
      name: 'Ada Lovelace',
      street: '1 Example Road',
      city: 'London',
      postalCode: 'W1J',
      country: 'GB',
    },
  })
  return `${bold('The shop stays up.')} ${dim('Ctrl+C ends it.')}

${dim('# order a teapot; cards: tok_ok tok_declined tok_timeout tok_twice')}
curl -i ${url}/orders -H 'content-type: application/json' -H 'idempotency-key: my-first-order' \\
  -d '${order}'

${dim('# where an order stands')}
curl -s ${url}/orders/${orderId}

${dim('# what a wrong order gets')}
curl -s ${url}/orders -H 'content-type: application/json' -d '{"customerId":"ada","price":1}'`
}
