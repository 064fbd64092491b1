import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ContractFiles, folderFiles } from './contract-files.ts'
import { readContracts } from './read-contracts.ts'

/** A small folder of contracts that is right; `undefined` takes a file away. */
const files = (changes: Readonly<Record<string, unknown>> = {}): ContractFiles => {
  const texts = new Map<string, string>()
  for (const [path, content] of Object.entries({ ...right, ...changes }))
    if (content !== undefined) texts.set(path, typeof content === 'string' ? content : JSON.stringify(content))
  return {
    list: async () => [...texts.keys()],
    read: async (path) => texts.get(path) ?? '',
  }
}

const topicsWith = (options: string) => `namespace: shop
topics:
  order-events:
${options
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`
const options = `partitions: 20
retention: 1 year
key: orderId
owner: orders
description: Order lifecycle events
events: [OrderPlaced]`

const field = (name: string, type: unknown, more: object = {}) => ({ name, type, doc: 'A field.', ...more })
const record = (name: string, fields: readonly unknown[], more: object = {}) => ({
  type: 'record',
  name: name.slice(name.lastIndexOf('.') + 1),
  namespace: name.slice(0, name.lastIndexOf('.')),
  doc: 'A record.',
  fields,
  ...more,
})
const orderPlaced = (fields: readonly unknown[] = [], more: object = {}) =>
  record('shop.orders.v1.OrderPlaced', [field('orderId', 'string'), ...fields], more)

const right = {
  'topics.yaml': topicsWith(options),
  'orders/OrderPlaced.v1.avsc': orderPlaced([field('total', 'shop.common.Money')]),
  'common/Money.avsc': record('shop.common.Money', [field('amount', 'long')]),
}

const problemsOf = async (changes: Readonly<Record<string, unknown>>): Promise<string> => {
  const outcome = await readContracts(files(changes)).then(
    () => 'no problem',
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ code: 'EVT_INVALID_CONTRACT' })
  return outcome instanceof Error ? outcome.message : String(outcome)
}

test('contracts are read from topics, schemas and consumers', async () => {
  const contracts = await readContracts(
    files({ 'consumers.yaml': 'consumers:\n  billing: { owner: payments, events: [OrderPlaced] }\n' }),
  )
  expect(contracts).toMatchObject({
    topics: [
      {
        name: 'order-events',
        partitions: 20,
        retentionMs: 365 * 86_400_000,
        cleanup: 'delete',
        replicas: undefined,
        external: false,
      },
    ],
    events: [{ type: 'OrderPlaced', version: 'v1', domain: 'orders', key: 'orderId', topic: { name: 'order-events' } }],
    consumers: [{ group: 'billing', owner: 'payments', events: ['OrderPlaced'] }],
  })
})

test('a type of another file is the same object, whoever refers to it and whichever file comes first', async () => {
  const { events } = await readContracts(
    files({
      'orders/OrderPlaced.v2.avsc': record('shop.orders.v2.OrderPlaced', [
        field('orderId', 'string'),
        field('total', { type: 'array', items: ['null', 'shop.common.Money'] }),
      ]),
    }),
  )
  const [first, second] = events.map((event) => event.data.fields[1]?.type)
  expect(first).toMatchObject({ kind: 'record', name: 'shop.common.Money' })
  expect(second?.kind === 'array' && second.items.kind === 'union' && second.items.branches[1]).toBe(first)
})

test('an event with a key of its own, inside another record, says where it is', async () => {
  const buyer = record('shop.orders.v1.Buyer', [field('id', { type: 'string', logicalType: 'uuid' })])
  const { events } = await readContracts(
    files({ 'orders/OrderPlaced.v1.avsc': orderPlaced([field('buyer', buyer)], { key: 'buyer.id' }) }),
  )
  expect(events[0]?.key).toBe('buyer.id')
})

test('versions come in the order of their numbers', async () => {
  const versions = [10, 2].map((n) => [
    `orders/OrderPlaced.v${n}.avsc`,
    record(`shop.orders.v${n}.OrderPlaced`, [field('orderId', 'string')]),
  ])
  const { events } = await readContracts(files(Object.fromEntries(versions)))
  expect(events.map((event) => event.version)).toEqual(['v1', 'v2', 'v10'])
})

test.each([
  ['30 days', 30 * 86_400_000],
  ['1 day', 86_400_000],
  ['12 hours', 12 * 3_600_000],
  ['2 weeks', 14 * 86_400_000],
  ['7 years', 7 * 365 * 86_400_000],
  ['forever', -1],
])('a retention of %s is understood', async (text, retentionMs) => {
  const { topics } = await readContracts(files({ 'topics.yaml': topicsWith(options.replace('1 year', text)) }))
  expect(topics[0]?.retentionMs).toBe(retentionMs)
})

test('every problem is named, not only the first', async () => {
  const message = await problemsOf({
    'topics.yaml': topicsWith(options.replace('partitions: 20', 'partitions: 0').replace('1 year', 'a while')),
    'orders/OrderPlaced.v1.avsc': orderPlaced([
      field('note', ['string', 'bytes']),
      field('email', 'string', { pii: 'yes' }),
    ]),
    'orders/OrderLost.v1.avsc': record('shop.orders.v1.OrderLost', [field('orderId', 'string')]),
  })
  expect(message.split('\n')).toEqual([
    'the contracts have 5 problems:',
    '- topics.yaml line 4: topic order-events: "partitions" must be a whole number from 1 up, got 0',
    '- topics.yaml line 5: topic order-events: "retention" must be such as "30 days", "12 hours", "1 year" or "forever", got "a while"',
    '- orders/OrderLost.v1.avsc: no topic of topics.yaml lists OrderLost; add it to the events of its topic',
    '- orders/OrderPlaced.v1.avsc at note: it may be string or bytes, and JSON writes both as text, so that one could be read as the other; give each a field of its own, or put one of them into a record',
    '- orders/OrderPlaced.v1.avsc at email: "pii" must be true or false, got "yes"',
  ])
})

test('words that are missing keep nobody from reading the contracts, and are remarked on', async () => {
  const { remarks, events } = await readContracts(
    files({
      'common/Money.avsc': record('shop.common.Money', [field('amount', 'long')], { doc: ' ' }),
      'orders/OrderPlaced.v1.avsc': orderPlaced([
        field('lines', { type: 'array', items: record('shop.orders.v1.Line', [{ name: 'sku', type: 'string' }]) }),
      ]),
    }),
  )
  expect(events).toHaveLength(1)
  expect(remarks).toEqual([
    {
      file: 'common/Money.avsc',
      path: '',
      type: 'shop.common.Money',
      message: 'record shop.common.Money has no doc; say what it is.',
    },
    {
      file: 'orders/OrderPlaced.v1.avsc',
      path: 'lines[].sku',
      type: 'shop.orders.v1.Line',
      message: 'the field sku has no doc; say what it holds and in which unit.',
    },
  ])
})

test.each([
  [
    'a mistake',
    'namespace: shop\ntopics:\n  a: [\n  b: {\n  c: ]\n',
    /^the contracts have a problem: topics.yaml line \d+: .*$/,
  ],
  ['another kind of value', 'namespace: shop\ntopics: 3\n', 'topics.yaml line 2: expected topics by name, got 3'],
])('%s in topics.yaml is told once, without what follows from it for the events', async (_, text, message) => {
  const said = await problemsOf({ 'topics.yaml': text })
  expect(said.split('\n')).toHaveLength(1)
  expect(said).toMatch(message)
})

test('contracts without topics.yaml lack that, and nothing else is told', async () => {
  expect((await problemsOf({ 'topics.yaml': undefined })).split('\n')).toHaveLength(1)
})

const inTopics = (from: string, to: string) => ({ 'topics.yaml': topicsWith(options.replace(from, to)) })

const ten = (name: string) => `[${Array(10).fill(`*${name}`).join(', ')}]`
const aliasBomb = `a: &a [x]\nb: &b ${ten('a')}\nc: &c ${ten('b')}\nd: &d ${ten('c')}\nconsumers: ${ten('d')}\n`

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ['no topics.yaml', { 'topics.yaml': undefined }, 'topics.yaml: there is no such file'],
  ['an alias that leads nowhere', { 'topics.yaml': 'namespace: shop\ntopics: *nope\n' }, 'topics.yaml line 2: '],
  ['an alias of consumers that leads nowhere', { 'consumers.yaml': 'consumers: *nope\n' }, 'consumers.yaml line 1: '],
  ['aliases without end', { 'consumers.yaml': aliasBomb }, 'consumers.yaml: Excessive alias count'],
  ['YAML that is none', { 'topics.yaml': 'namespace: shop\ntopics:\n  a: [\n' }, 'topics.yaml line 4: '],
  ['a topic twice', { 'topics.yaml': `${topicsWith(options)}  order-events: {}\n` }, 'topics.yaml line 10: '],
  [
    'a list where topics belong',
    { 'topics.yaml': 'namespace: shop\ntopics: []\n' },
    'topics.yaml line 2: expected topics by name, got []',
  ],
  [
    'no namespace',
    { 'topics.yaml': right['topics.yaml'].replace('namespace: shop\n', '') },
    '"namespace" must be what the Avro namespaces begin with',
  ],
  [
    'an option that does not exist',
    inTopics('owner:', 'ownr:'),
    'topics.yaml line 7: topic order-events: unknown option "ownr"; known are partitions, retention',
  ],
  [
    'a topic without an owner',
    inTopics('owner: orders\n', ''),
    'topics.yaml line 3: topic order-events: "owner" must be text, got nothing',
  ],
  [
    'a cleanup that Kafka does not have',
    inTopics('owner:', 'cleanup: often\nowner:'),
    'topics.yaml line 7: topic order-events: "cleanup" must be "delete", "compact" or "compact,delete", got "often"',
  ],
  [
    'an event listed twice',
    inTopics('[OrderPlaced]', '[OrderPlaced, OrderPlaced]'),
    'topics.yaml line 9: topic order-events: "events" lists OrderPlaced twice',
  ],
  [
    'an event of two topics',
    {
      'topics.yaml': `${topicsWith(options)}  more-events:\n    {partitions: 1, retention: 1 day, key: orderId, owner: o, description: d, events: [OrderPlaced]}\n`,
    },
    'topic more-events: OrderPlaced is listed under order-events too',
  ],
  [
    'an event without a file',
    inTopics('[OrderPlaced]', '[OrderPlaced, OrderGone]'),
    'topics.yaml line 9: topic order-events: OrderGone is listed, but there is no file <domain>/OrderGone.v1.avsc',
  ],
  [
    'a key that is no field',
    inTopics('key: orderId', 'key: id'),
    'orders/OrderPlaced.v1.avsc: the key of topic order-events is "id", and there is no such field',
  ],
  [
    'a key that may be null',
    { 'orders/OrderPlaced.v1.avsc': record('shop.orders.v1.OrderPlaced', [field('orderId', ['null', 'string'])]) },
    'which must be a string that is never null, it is union',
  ],
  [
    'a key that is a number',
    { 'orders/OrderPlaced.v1.avsc': record('shop.orders.v1.OrderPlaced', [field('orderId', 'long')]) },
    'which must be a string that is never null, it is long',
  ],
  [
    'a wrong namespace',
    { 'orders/OrderPlaced.v1.avsc': record('shop.order.v1.OrderPlaced', [field('orderId', 'string')]) },
    'orders/OrderPlaced.v1.avsc: by its place it must be named shop.orders.v1.OrderPlaced, it is named shop.order.v1.OrderPlaced',
  ],
  [
    'a wrong version',
    { 'orders/OrderPlaced.v2.avsc': record('shop.orders.v1.Order2', [field('orderId', 'string')]) },
    'must be named shop.orders.v2.OrderPlaced',
  ],
  [
    'a file with no version',
    { 'orders/orderPlaced.v01.avsc': orderPlaced() },
    'orders/orderPlaced.v01.avsc: its name is neither <domain>/<EventName>.v<n>.avsc',
  ],
  [
    'an event of two domains',
    { 'users/OrderPlaced.v2.avsc': record('shop.users.v2.OrderPlaced', [field('orderId', 'string')]) },
    'users/OrderPlaced.v2.avsc: OrderPlaced is an event of orders/OrderPlaced.v1.avsc too',
  ],
  [
    'data that is no record',
    { 'orders/OrderPlaced.v1.avsc': { type: 'enum', name: 'shop.orders.v1.OrderPlaced', symbols: ['A'] } },
    'the data of an event is a record, got enum',
  ],
  [
    'a schema that is a list',
    { 'common/Money.avsc': '["null"]' },
    'common/Money.avsc: expected a record, an enum or a fixed with a name, got union',
  ],
  [
    'JSON that is none',
    { 'common/Money.avsc': '{\n  "type": "record",\n  "name" "Money"\n}' },
    'common/Money.avsc line 3: not JSON: ',
  ],
  [
    'a name that stands twice in one object',
    {
      'common/Money.avsc':
        '{\n\t"type": "enum",\n\t"name": "shop.common.Money", "symbols": ["A"],\n\t"type": "record"\n}',
    },
    'common/Money.avsc line 4: the same name stands twice in one object',
  ],
  [
    'text and an instant in one list, which JSON writes alike',
    {
      'orders/OrderPlaced.v1.avsc': orderPlaced([
        field('seen', { type: 'array', items: ['null', 'string', { type: 'long', logicalType: 'timestamp-millis' }] }),
      ]),
    },
    'orders/OrderPlaced.v1.avsc at seen[]: it may be string or long (timestamp-millis), and JSON writes both as text',
  ],
  [
    'a bigint and a decimal, which JSON writes alike',
    {
      'common/Money.avsc': record('shop.common.Money', [
        field('amount', [
          { type: 'long', js: 'bigint' },
          { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
        ]),
      ]),
    },
    'common/Money.avsc at amount: it may be long or bytes (decimal), and JSON writes both as text',
  ],
  [
    'a type that nobody defines',
    { 'common/Money.avsc': undefined },
    'orders/OrderPlaced.v1.avsc at total: type "shop.common.Money" is not defined',
  ],
  [
    'a type that two files define',
    { 'common/Cash.avsc': record('shop.common.Money', [field('amount', 'long')]) },
    'common/Money.avsc: shop.common.Money is defined in common/Cash.avsc too',
  ],
  [
    'a default that JSON has rounded',
    {
      'common/Money.avsc':
        '{"type":"record","name":"shop.common.Money","doc":"d","fields":[{"name":"a","doc":"d","type":"long","default":9007199254740993}]}',
    },
    'common/Money.avsc at a: its default is beyond 2^53',
  ],
  [
    'files in a circle',
    {
      'common/Money.avsc': record('shop.common.Money', [field('rate', ['null', 'shop.common.Rate'])]),
      'common/Rate.avsc': record('shop.common.Rate', [field('of', 'shop.common.Money')]),
    },
    'these files refer to each other in a circle: common/Money.avsc → common/Rate.avsc → common/Money.avsc',
  ],
  [
    'a consumer of an event that is not there',
    { 'consumers.yaml': 'consumers:\n  billing:\n    owner: payments\n    events: [OrderLost]\n' },
    'consumers.yaml line 4: consumer billing: there is no event OrderLost',
  ],
  [
    'a consumer with an option too many',
    { 'consumers.yaml': 'consumers:\n  billing: { owner: a, events: [], topics: [] }\n' },
    'consumers.yaml line 2: consumer billing: unknown option "topics"',
  ],
])('%s is refused', async (_, changes, message) => {
  expect(await problemsOf(changes)).toContain(message)
})

test('a file that cannot be read is told once, and not again by those that refer to it', async () => {
  const message = await problemsOf({ 'common/Money.avsc': record('shop.common.Money', [field('amount', 'lomg')]) })
  expect(message).toBe(
    'the contracts have a problem: common/Money.avsc at amount: type "shop.common.lomg" is not defined',
  )
})

test('a folder is read as it is on disk, with what is not a contract left out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'contracts-'))
  try {
    await writeFile(join(folder, 'topics.yaml'), 'namespace: shop\ntopics: {}\n')
    await writeFile(join(folder, 'README.md'), '# Not a contract')
    expect(await readContracts(folderFiles(folder))).toEqual({ topics: [], events: [], consumers: [], remarks: [] })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a folder that is not there is named', async () => {
  await expect(readContracts(folderFiles('/no/such/folder'))).rejects.toMatchObject({
    code: 'EVT_INVALID_CONTRACT',
    message: expect.stringContaining('/no/such/folder'),
  })
})
