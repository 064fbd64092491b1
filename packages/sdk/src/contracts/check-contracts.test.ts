import { describe, expect, test } from 'vitest'
import { type CheckContractsOptions, checkContracts } from './check-contracts.ts'
import { earlierInFiles } from './earlier-in-files.ts'
import { readContracts } from './read-contracts.ts'

type Files = Readonly<Record<string, string>>

const inMemory = (files: Files) => ({
  list: async () => Object.keys(files),
  read: async (path: string) => files[path] ?? '',
})

const field = (name: string, type: unknown, more: object = {}) => ({ name, type, doc: `The ${name}.`, ...more })
const record = (name: string, fields: readonly unknown[], more: object = {}) =>
  JSON.stringify({ type: 'record', name, doc: 'Words.', fields, ...more })

const topics = (events = 'OrderCreated', more = '') => `
namespace: shop
topics:
  order-events:
    partitions: 3
    retention: 1 year
    key: orderId
    owner: orders
    description: Orders
    events: [${events}]
${more}`

const orderId = field('orderId', 'string')
const lines = field('lines', { type: 'array', items: 'shop.common.Line' })
const base: Files = {
  'topics.yaml': topics(),
  'consumers.yaml':
    'consumers:\n  billing: { owner: billing, events: [OrderCreated] }\n  search: { owner: search, events: [] }\n',
  'common/Line.avsc': record('shop.common.Line', [field('sku', 'string'), field('price', 'long')]),
  'orders/OrderCreated.v1.avsc': record('shop.orders.v1.OrderCreated', [orderId, lines]),
}

async function check(changes: Files, options: Partial<CheckContractsOptions> = {}, from: Files = base) {
  const contracts = await readContracts(inMemory(without({ ...from, ...changes })))
  return checkContracts({ contracts, earlier: await earlierInFiles(inMemory(from), 'the release'), ...options })
}

/** An empty text stands for a file that is gone. */
function without(files: Files): Files {
  return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== ''))
}

const order = (...fields: unknown[]) => ({
  'orders/OrderCreated.v1.avsc': record('shop.orders.v1.OrderCreated', fields),
})

describe('a change of what an event carries', () => {
  test('that is safe is no finding', async () => {
    const { findings, checked } = await check(
      order(orderId, lines, field('note', ['null', 'string'], { default: null })),
    )
    expect(findings).toEqual([])
    expect(checked).toEqual([{ event: 'OrderCreated', version: 'v1', earlier: 1 }])
  })

  test('that is not names the place, the data, the consumers and the way out', async () => {
    const { findings } = await check(order(orderId, lines, field('couponCode', 'string')))
    expect(findings).toMatchObject([
      {
        severity: 'break',
        kind: 'incompatible',
        event: 'OrderCreated',
        version: 'v1',
        file: 'orders/OrderCreated.v1.avsc',
        path: 'data.couponCode',
        within: 'shop.orders.v1.OrderCreated',
        message: expect.stringContaining('which the release does not write'),
        consumers: ['billing'],
        against: ['the release'],
        compatibility: { direction: 'backward', kind: 'READER_FIELD_MISSING_DEFAULT_VALUE' },
      },
    ])
    expect(findings[0]?.advice[0]).toContain('Give "couponCode" a default')
    expect(findings[0]?.advice.at(-1)).toContain('orders/OrderCreated.v2.avsc')
  })

  test('in a type that events share is to be mended in its own file', async () => {
    const { findings } = await check({
      'common/Line.avsc': record('shop.common.Line', [field('sku', 'string'), field('price', 'int')]),
    })
    expect(findings).toMatchObject([{ file: 'common/Line.avsc', path: 'data.lines[].price', event: 'OrderCreated' }])
  })

  test('is looked at the other way round in mode FORWARD, and not at all in mode NONE', async () => {
    const withoutLines = order(orderId)
    expect((await check(withoutLines)).findings).toMatchObject([{ severity: 'warning' }])
    expect((await check(withoutLines, { mode: 'FORWARD' })).findings).toMatchObject([
      { path: 'data.lines', compatibility: { direction: 'forward' } },
    ])
    expect((await check(order(orderId, field('a', 'int')), { mode: 'NONE' })).findings).toEqual([])
  })

  test('that only readers of today cannot bear is a warning that names them, and says who is deployed first', async () => {
    const { findings } = await check(order(orderId))
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        kind: 'readers-first',
        file: 'orders/OrderCreated.v1.avsc',
        path: 'data.lines',
        consumers: ['billing'],
        message: expect.stringContaining('the release needs the field "lines"'),
        compatibility: { direction: 'forward' },
      },
    ])
    expect(findings[0]?.advice[0]).toContain('Deploy the readers first (billing, and other readers)')
    const shared = await check({ 'common/Line.avsc': record('shop.common.Line', [field('sku', 'string')]) })
    expect(shared.findings).toMatchObject([{ kind: 'readers-first', file: 'common/Line.avsc' }])
  })

  test('that takes away what has a default is no finding, and one that breaks is not told twice', async () => {
    const note = field('note', ['null', 'string'], { default: null })
    const withNote = { ...base, ...order(orderId, lines, note) }
    expect((await check(order(orderId, lines), {}, withNote)).findings).toEqual([])
    const { findings } = await check(order(orderId, field('lines', 'string')))
    expect(findings.map(({ severity, kind }) => [severity, kind])).toEqual([['break', 'incompatible']])
  })

  test('that takes a symbol away is a warning where old data is read as the default', async () => {
    const size = (...symbols: string[]) =>
      order(orderId, field('size', { type: 'enum', name: 'Size', doc: 'How big.', symbols, default: 'OTHER' }))
    const { findings } = await check(size('SMALL', 'OTHER'), {}, { ...base, ...size('SMALL', 'LARGE', 'OTHER') })
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        kind: 'symbol-removed',
        path: 'data.size',
        message: expect.stringContaining('LARGE is gone from shop.orders.v1.Size'),
        consumers: ['billing'],
      },
    ])
    expect(
      (await check(size('SMALL', 'LARGE', 'HUGE', 'OTHER'), {}, { ...base, ...size('SMALL', 'OTHER') })).findings,
    ).toEqual([])
  })

  test('that lacks words fails by a rule, and is compared all the same', async () => {
    const { findings } = await check(
      order(orderId, lines, field('coupon', 'string'), { ...field('a', 'int', { default: 0 }), doc: '' }),
    )
    expect(findings).toMatchObject([
      { severity: 'break', path: 'data.coupon' },
      {
        severity: 'rule',
        kind: 'undocumented',
        event: 'OrderCreated',
        file: 'orders/OrderCreated.v1.avsc',
        path: 'data.a',
        message: 'the field a has no doc; say what it holds and in which unit.',
      },
    ])
    const line = record('shop.common.Line', [field('sku', 'string'), { ...field('price', 'long'), doc: undefined }])
    expect((await check({ 'common/Line.avsc': line })).findings).toMatchObject([
      { severity: 'rule', event: 'OrderCreated', file: 'common/Line.avsc', path: 'price' },
    ])
  })

  test('of a new event is none', async () => {
    const { findings, checked } = await check({
      'topics.yaml': topics('OrderCreated, OrderShipped'),
      'orders/OrderShipped.v1.avsc': record('shop.orders.v1.OrderShipped', [orderId]),
    })
    expect(findings).toEqual([])
    expect(checked).toContainEqual({ event: 'OrderShipped', version: 'v1', earlier: 0 })
  })
})

describe('what the bytes do not show', () => {
  const amount = (logical: object) =>
    order(orderId, field('amount', { type: 'bytes', logicalType: 'decimal', precision: 9, ...logical }))
  const at = (type: object) => order(orderId, field('at', { type: 'long', ...type }))

  test('a decimal with another scale, and a time in another unit, would be read wrongly', async () => {
    expect(await check(amount({ scale: 4 }), {}, { ...base, ...amount({ scale: 2 }) })).toMatchObject({
      findings: [{ severity: 'break', kind: 'meaning-changed', path: 'data.amount' }],
    })
    const micros = at({ logicalType: 'timestamp-micros' })
    expect(await check(micros, {}, { ...base, ...at({ logicalType: 'timestamp-millis' }) })).toMatchObject({
      findings: [{ severity: 'break', kind: 'meaning-changed', path: 'data.at' }],
    })
  })

  test('a number that becomes a time is worth a second look', async () => {
    expect(await check(at({ logicalType: 'timestamp-millis' }), {}, { ...base, ...at({}) })).toMatchObject({
      findings: [{ severity: 'warning', kind: 'meaning-changed' }],
    })
  })

  test('a field that is no longer marked personal is a warning', async () => {
    const before = { ...base, ...order(orderId, field('email', 'string', { pii: true })) }
    expect(await check(order(orderId, field('email', 'string')), {}, before)).toMatchObject({
      findings: [{ severity: 'warning', kind: 'pii-unmarked', path: 'data.email' }],
    })
  })
})

describe('a change of where an event goes', () => {
  test('to another topic', async () => {
    const more = topics('').replace('order-events:', 'sales-events:').split('topics:\n')[1] ?? ''
    const { findings } = await check({
      'topics.yaml': topics('', more.replace('events: []', 'events: [OrderCreated]')),
    })
    expect(findings).toMatchObject([
      {
        kind: 'topic-changed',
        severity: 'break',
        message: expect.stringContaining('from topic order-events to sales-events'),
      },
    ])
  })

  test('under another key', async () => {
    const { findings } = await check({
      'orders/OrderCreated.v1.avsc': record(
        'shop.orders.v1.OrderCreated',
        [orderId, lines, field('customerId', 'string', { default: '' })],
        { key: 'customerId' },
      ),
    })
    expect(findings).toMatchObject([
      { kind: 'key-changed', message: expect.stringContaining('its key is customerId and was orderId') },
    ])
  })

  test('under another name of its record, which a new namespace brings to all', async () => {
    const renamed = Object.fromEntries(
      Object.entries(base).map(([path, text]) => [path, text.replaceAll('shop', 'store')]),
    )
    const { findings } = await check(renamed)
    expect(findings.map(({ kind }) => kind)).toEqual(['record-renamed'])
  })
})

describe('an event that is gone', () => {
  test('is named with those who read it', async () => {
    const { findings } = await check({
      'topics.yaml': topics(''),
      'consumers.yaml': '',
      'orders/OrderCreated.v1.avsc': '',
    })
    expect(findings).toMatchObject([{ kind: 'event-removed', event: 'OrderCreated', consumers: ['billing'] }])
  })

  test('and comes back under another name is recognised', async () => {
    const { findings } = await check({
      'topics.yaml': topics('OrderPlaced'),
      'consumers.yaml': '',
      'orders/OrderCreated.v1.avsc': '',
      'orders/OrderPlaced.v1.avsc': record('shop.orders.v1.OrderPlaced', [orderId, lines]),
    })
    expect(findings[0]?.message).toContain('renamed to OrderPlaced.v1')
  })

  test('is gone though another version of it stays', async () => {
    const v2 = { 'orders/OrderCreated.v2.avsc': record('shop.orders.v2.OrderCreated', [orderId]) }
    const { findings } = await check({ 'orders/OrderCreated.v1.avsc': '' }, {}, { ...base, ...v2 })
    expect(findings).toMatchObject([{ kind: 'event-removed', version: 'v1' }])
  })
})

describe('only some events', () => {
  test('are looked at when they are named', async () => {
    const two = {
      ...base,
      'topics.yaml': topics('OrderCreated, OrderShipped'),
      'orders/OrderShipped.v1.avsc': record('shop.orders.v1.OrderShipped', [orderId]),
    }
    const broken = {
      ...order(orderId, field('a', 'int')),
      'orders/OrderShipped.v1.avsc': record('shop.orders.v1.OrderShipped', [orderId, field('a', 'int')]),
    }
    const { findings } = await check(broken, { events: ['OrderShipped.v1'] }, two)
    expect(findings.map(({ event }) => event)).toEqual(['OrderShipped'])
  })

  test('a name that is none says which there are', async () => {
    await expect(check({}, { events: ['OrderCreatd'] })).rejects.toThrow('There are OrderCreated.')
  })
})
