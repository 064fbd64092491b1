/** The contracts of a new service, by path. */
export function contractFiles(name: string): readonly (readonly [path: string, text: string])[] {
  const namespace = namespaceOf(name)
  return [
    ['schemas/topics.yaml', topics(name, namespace)],
    ['schemas/consumers.yaml', consumers(name)],
    ['schemas/orders/OrderCreated.v1.avsc', orderCreated(namespace)],
  ]
}

/** What begins the names of its records: letters, digits and underscores, not a digit first. */
function namespaceOf(name: string): string {
  const word = (name.split('/').at(-1) ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
  return word === '' ? 'service' : word
}

const topics = (name: string, namespace: string): string => `# The topics, what they keep, and the events each carries.
#
#   partitions   facts of one key are in one partition, in order; growing it later moves keys
#   retention    how long records are kept: 12 hours, 30 days, 1 year, forever
#   key          the field that holds the key
#   owner        who publishes there and answers for it

namespace: ${namespace}

topics:
  order-events:
    partitions: 6
    retention: 30 days
    key: orderId
    owner: ${JSON.stringify(name)}
    description: What happens to orders
    events: [OrderCreated]
`

const consumers = (
  name: string,
): string => `# Who reads what; evt schema check names them when a change would fail them.

consumers:
  shipping:
    owner: ${JSON.stringify(name)}
    events: [OrderCreated]
`

const orderCreated = (namespace: string): string => `{
  "type": "record",
  "name": "OrderCreated",
  "namespace": "${namespace}.orders.v1",
  "doc": "A customer has placed an order.",
  "fields": [
    { "name": "orderId", "type": "string", "doc": "The order; the key of its records." },
    { "name": "email", "type": "string", "doc": "Where mails about the order go.", "pii": true },
    { "name": "total", "type": "long", "doc": "What it costs, in minor units of the currency: 4200 is 42.00." },
    { "name": "currency", "type": "string", "doc": "ISO 4217 code in capitals, such as EUR." },
    {
      "name": "placedAt",
      "type": { "type": "long", "logicalType": "timestamp-millis" },
      "doc": "When the order was taken."
    }
  ]
}
`
