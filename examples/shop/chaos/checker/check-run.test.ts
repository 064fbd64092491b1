import { describe, expect, test } from 'vitest'
import type { HistoryEvent } from '../history.ts'
import { checkRun } from './check-run.ts'
import { type DoctoredRun, goodRun, idOf, recordOf, refused, shipped } from './doctored-run.ts'
import type { Evidence } from './evidence.ts'
import { handledAgain } from './handled-again.ts'
import { Ledger } from './ledger.ts'

/** What is found when something of a good run is changed, as `kind: about message`. */
function findingsAfter(change: {
  readonly evidence?: (evidence: Evidence) => Partial<Evidence>
  readonly history?: (history: readonly HistoryEvent[]) => readonly HistoryEvent[]
}): string[] {
  const run: DoctoredRun = goodRun()
  const evidence = { ...run.evidence, ...change.evidence?.(run.evidence) }
  const history = change.history?.(run.history) ?? run.history
  return checkRun(evidence, history).map(({ kind, about, message }) => `${kind}: ${about} ${message}`)
}

const recordOfType = ({ records }: Evidence, type: string, key = shipped) =>
  records.find((record) => record.event?.eventType === type && record.key === key)

test('a run in which every promise was kept has no findings', () => {
  expect(findingsAfter({})).toEqual([])
})

describe('what was lost is found:', () => {
  test('an order that was accepted and is not there', () => {
    expect(
      findingsAfter({
        evidence: ({ orderKeys, orders, records, inbox, reservations, charges, mails, stock }) => {
          const gone = new Set(records.filter(({ key }) => key === shipped).map(idOf))
          return {
            orderKeys: orderKeys.filter(({ orderId }) => orderId !== shipped),
            orders: orders.filter(({ orderId }) => orderId !== shipped),
            records: records.filter(({ key }) => key !== shipped),
            inbox: inbox.filter(({ eventId }) => !gone.has(eventId)),
            reservations: reservations.filter(({ orderId }) => orderId !== shipped),
            charges: charges.slice(1),
            mails: mails.filter(({ orderId }) => orderId !== shipped),
            stock: stock.map((entry) => ({ ...entry, reserved: 0 })),
          }
        },
      }),
    ).toEqual([`lost: order request k1 was accepted as order ${shipped}, which is not there`])
  })

  test('an order that has not ended', () => {
    expect(
      findingsAfter({
        evidence: ({ orders }) => ({ orders: orders.map((order) => ({ ...order, status: 'reserved' })) }),
      }),
    ).toContainEqual(expect.stringMatching(`^lost: order ${shipped} has not ended: it is reserved`))
  })

  test('an event that never came into the log', () => {
    const found = findingsAfter({
      evidence: (evidence) => ({
        records: evidence.records.filter((record) => record !== recordOfType(evidence, 'OrderShipped')),
      }),
    })
    expect(found).toEqual([`lost: order ${shipped} ended as shipped without OrderShipped`])
  })

  test('an event that a group has skipped', () => {
    const found = findingsAfter({
      evidence: (evidence) => {
        const skipped = recordOfType(evidence, 'PaymentProcessed')
        return {
          inbox: evidence.inbox.filter(({ group, eventId }) => group !== 'shipping' || eventId !== idOf(skipped)),
        }
      },
    })
    expect(found).toEqual([expect.stringMatching('^lost: group shipping has never handled PaymentProcessed')])
  })

  test('a piece that was told of and never applied', () => {
    const found = findingsAfter({ evidence: ({ applied }) => ({ applied: applied.slice(0, 2) }) })
    expect(found).toEqual(['lost: cart-1 piece 3 of 3 was never applied'])
  })

  test('a piece that was skipped, unless its record was deleted on purpose', () => {
    const skip = ({ applied, inbox, records }: Evidence): Partial<Evidence> => {
      const skipped = idOf(records.findLast((record) => record.topic === 'cart-events' && record.offset === 13))
      return {
        applied: applied.filter(({ pieces }) => pieces !== 2),
        inbox: inbox.filter(({ eventId }) => eventId !== skipped),
      }
    }
    expect(findingsAfter({ evidence: skip })).toContain('lost: cart-1 piece 2 of 3 was never applied')
    const history = (events: readonly HistoryEvent[]): HistoryEvent[] => [
      ...events,
      {
        at: 1250,
        scenario: 1,
        kind: 'truncated',
        topic: 'cart-events',
        partition: 0,
        from: 13,
        to: 14,
        group: 'cart-mirror',
        pieces: [{ cartId: 'cart-1', pieces: 2 }],
      },
    ]
    expect(findingsAfter({ evidence: skip, history })).toEqual([])
  })

  test('an event that is still in an outbox', () => {
    const found = findingsAfter({ evidence: () => ({ unsent: [{ service: 'orders', count: 2 }] }) })
    expect(found).toEqual(['lost: orders 2 events are still in its outbox'])
  })
})

describe('what was done twice is found:', () => {
  test('two orders for one request', () => {
    const found = findingsAfter({
      evidence: ({ orderKeys }) => ({
        orderKeys: [...orderKeys, { customerId: 'ada', idempotencyKey: 'k1', orderId: refused }],
      }),
    })
    expect(found).toContainEqual(expect.stringMatching('^applied twice: order request k1 became 2 orders'))
  })

  test('two different events for one step of an order', () => {
    const found = findingsAfter({
      evidence: ({ records }) => ({
        records: [...records, recordOf('order-events', shipped, 'OrderConfirmed', { orderId: shipped })],
      }),
    })
    expect(found).toContain(`applied twice: order ${shipped} has 2 different OrderConfirmed events`)
  })

  test('a card that was charged twice', () => {
    const found = findingsAfter({
      evidence: ({ charges }) => ({ charges: [...charges, ...charges.map((each) => ({ ...each, chargeId: 'ch-2' }))] }),
    })
    expect(found).toContain(`books: order ${shipped} its card was charged twice`)
  })

  test('a piece that was applied twice', () => {
    const found = findingsAfter({ evidence: ({ applied }) => ({ applied: [...applied, ...applied.slice(2)] }) })
    expect(found).toEqual(['applied twice: cart-1 piece 3 was applied more than once'])
  })

  test('stock that was set aside twice', () => {
    const found = findingsAfter({
      evidence: ({ stock }) => ({ stock: stock.map((entry) => ({ ...entry, reserved: 2 })) }),
    })
    expect(found).toEqual(['books: stock of mug 2 are set aside, but the events say 1'])
  })
})

describe('what came out of order is found:', () => {
  test('pieces that were applied in another order', () => {
    const found = findingsAfter({
      evidence: ({ applied: [first, second, third] }) => ({
        applied: [first, third, second].filter((each) => each !== undefined),
      }),
    })
    expect(found).toContain('out of order: cart-1 piece 3 was applied after piece 1')
  })

  test('events of one key that are in the log in another order', () => {
    const found = findingsAfter({
      evidence: (evidence) => {
        const created = recordOfType(evidence, 'OrderCreated')
        const rest = evidence.records.filter((record) => record !== created)
        return { records: created === undefined ? rest : [...rest, created] }
      },
    })
    expect(found).toContain(`out of order: order-events of ${shipped} OrderConfirmed is in the log before OrderCreated`)
  })

  test('a key that is in two partitions', () => {
    const found = findingsAfter({
      evidence: (evidence) => ({
        records: evidence.records.map((record) =>
          record === recordOfType(evidence, 'OrderShipped') ? { ...record, partition: 5 } : record,
        ),
      }),
    })
    expect(found).toContain(`out of order: order-events of ${shipped} is in partitions 0 and 5`)
  })

  test('a group that has handled a later event of a key first', () => {
    const found = findingsAfter({
      evidence: ({ records, inbox }) => {
        const last = records.findLast((record) => record.topic === 'cart-events')
        return { inbox: inbox.map((each) => (each.eventId === idOf(last) ? { ...each, handledAt: 1 } : each)) }
      },
    })
    expect(found).toEqual([expect.stringMatching('^out of order: group cart-mirror has handled cart-events/0/')])
  })
})

describe('a fault that shows nothing is found:', () => {
  const idle = { records: 0, unsent: 0, requests: 0 }

  test('it met nothing at work', () => {
    const found = findingsAfter({
      history: (history) =>
        history.map((event) => (event.kind === 'fault' || event.kind === 'healed' ? { ...event, live: idle } : event)),
    })
    expect(found).toEqual(['vacuous: killed (kafka) met nothing at work, so surviving it shows nothing'])
  })

  test('it never struck', () => {
    const found = findingsAfter({
      history: (history) => history.map((event) => (event.kind === 'healed' ? { ...event, struck: 0 } : event)),
    })
    expect(found).toEqual(['vacuous: killed (kafka) never struck'])
  })

  test('there was none', () => {
    const found = findingsAfter({
      history: (history) => history.filter(({ kind }) => kind !== 'fault' && kind !== 'healed'),
    })
    expect(found).toEqual(['vacuous: broker-killed had no fault'])
  })
})

describe('a run that did not go well is found:', () => {
  test('recovering took longer than it may', () => {
    const found = findingsAfter({
      history: (history) => history.map((event) => (event.kind === 'recovered' ? { ...event, afterMs: 5001 } : event)),
    })
    expect(found).toEqual(['slow: broker-killed recovered after 5001 ms, which must not take more than 5000'])
  })

  test('it never recovered', () => {
    const found = findingsAfter({
      history: (history) =>
        history.map((event) => (event.kind === 'recovered' ? { ...event, left: 'not committed: orders 3' } : event)),
    })
    expect(found).toEqual(['slow: broker-killed had not recovered after 700 ms: not committed: orders 3'])
  })

  test('a program ended by itself', () => {
    const found = findingsAfter({
      history: (history) => history.map((event) => (event.kind === 'exit' ? { ...event, asked: false } : event)),
    })
    expect(found).toEqual(['broken: orders ended by itself (SIGKILL)'])
  })

  test('a record was set aside that nobody had poisoned', () => {
    const found = findingsAfter({
      evidence: () => ({
        rejected: [{ group: 'orders', topic: 'payment-events', partition: 0, offset: 3, reason: 'EVT_X: why' }],
      }),
    })
    expect(found).toEqual([
      'unexplained: group orders has set aside payment-events/0/3 (EVT_X: why), and nobody poisoned it',
    ])
  })

  test('an event was given up, or is still parked', () => {
    const place = { group: 'payments', topic: 'inventory-events', partition: 3, offset: 4, reason: 'EVT_X: why' }
    const found = findingsAfter({
      evidence: () => ({
        failed: [
          { ...place, state: 'dead' },
          { ...place, offset: 5, state: 'parked' },
        ],
      }),
    })
    expect(found).toEqual([
      'unexplained: group payments has given up inventory-events/3/4 (EVT_X: why)',
      'lost: group payments still has parked inventory-events/3/5 (EVT_X: why)',
    ])
  })

  test('a poisoned record was not set aside by a group that reads it', () => {
    const found = findingsAfter({
      history: (history) => [
        ...history,
        {
          at: 1250,
          scenario: 1,
          kind: 'injected',
          what: 'poison',
          poison: 'no text',
          topic: 'cart-events',
          partition: 2,
          offset: 9,
          groups: ['cart-mirror'],
        },
      ],
    })
    expect(found).toEqual(['lost: a poisoned record (no text) was not set aside: cart-mirror cart-events/2/9'])
  })

  test('copies of an event differ', () => {
    const found = findingsAfter({
      evidence: ({ records }) => ({
        records: [...records, ...records.slice(0, 1).map((each) => ({ ...each, offset: 99, value: `${each.value} ` }))],
      }),
    })
    expect(found).toEqual([expect.stringMatching('^books: order-events of .* has copies that differ')])
  })
})

test('deliveries of what was handled already are counted, and break no promise', () => {
  const { evidence, history } = goodRun()
  const again = { ...evidence, deliveries: [...evidence.deliveries, ...evidence.deliveries.slice(0, 2)] }
  expect(checkRun(again, history)).toEqual([])
  expect(handledAgain(again, new Ledger(history))).toEqual(new Map([[1, 2]]))
})
