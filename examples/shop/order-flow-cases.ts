/** What the shop promises about orders, asked of it in any world it runs in. */
import { randomUUID } from 'node:crypto'
import { type Logger, type Sender, silentLogger, systemClock, type Transport } from '@evtkit/sdk'
import { listRejected } from '@evtkit/sdk/dead-letters'
import type { Sql } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { OrderEvents } from './contracts/index.ts'
import { runOrders } from './load/order-run.ts'
import { repeatingSender } from './load/repeating-sender.ts'
import { type FetchRequest, fetchAt } from './platform/fetch.ts'
import { type Ground, type Shop, startShop } from './platform/shop.ts'
import { parts } from './process/parts.ts'

/** A world to run the shop in. */
export interface World extends Ground {
  /** Another client of the broker, for the tests. */
  readonly transport: Transport
  close(): Promise<void>
}

interface OrderView {
  readonly status: string
  readonly cancelReason: string | null
  readonly correlationId: string
  readonly history: readonly { readonly eventType: string; readonly time: string }[]
}

interface Charge {
  readonly reference: string
  readonly status: string
}

const order = (over: object = {}) => ({
  customerId: 'ada',
  email: 'ada@example.com',
  cardToken: 'tok_ok',
  lines: [{ sku: 'mug', quantity: 2 }],
  shippingAddress: { name: 'Ada', street: '1 Example Road', city: 'London', postalCode: 'W1J', country: 'GB' },
  ...over,
})

export function describeOrderFlow(name: string, createWorld: (logger: Logger) => Promise<World>): void {
  describe(name, () => {
    let world: World
    let shop: Shop

    beforeAll(async () => {
      world = await createWorld(silentLogger)
      // Every other record comes twice, in everything that follows.
      const aroundSender = (sender: Sender) => repeatingSender(sender, 2)
      shop = await startShop({
        parts,
        ground: world,
        logger: silentLogger,
        aroundSender,
        settings: { paymentTimeoutMs: 500 },
      })
    }, 120_000)

    afterAll(async () => {
      await shop?.close()
      await world?.close()
    }, 60_000)

    const gateway = (path: string, request?: FetchRequest) => fetchAt(shop.url)(path, request)
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      gateway('/orders', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    const read = async (url: string): Promise<OrderView> => (await gateway(url)).json() as Promise<OrderView>
    const place = async (over: object = {}, headers: Record<string, string> = {}) => {
      const answer = await post(order(over), headers)
      expect(answer.status).toBe(202)
      return (await answer.json()) as { orderId: string; url: string; correlationId: string }
    }
    /** Waits until the order has ended and its last mail is noted, and tells the types of its history. */
    const ended = async (url: string) => {
      await vi.waitFor(
        async () => {
          const { status, history } = await read(url)
          expect(['shipped', 'cancelled']).toContain(status)
          expect(history.map((step) => step.eventType)).toContain('NotificationSent')
          if (status === 'shipped') expect(history.at(-1)?.eventType).toBe('OrderShipped')
        },
        { timeout: 30_000, interval: 50 },
      )
      return read(url)
    }
    const types = (view: OrderView) => view.history.map((step) => step.eventType)

    test('a mixed set of orders all end, repeated records change nothing, and the books agree', async () => {
      const report = await runOrders({
        fetchFrom: (part) => (part === 'gateway' ? fetchAt(shop.url) : shop.fetchFrom(part)),
        source: world.transport,
        clock: systemClock,
        logger: silentLogger,
        count: 24,
        patienceMs: 40_000,
      })
      expect(report).toMatchObject({ placed: 24, pending: 0, declined: 2, discrepancies: [] })
      expect(report.shipped + report.cancelled).toBe(24)
      expect(report.outOfStock).toBeGreaterThanOrEqual(2)
      expect(report.duplicates).toBeGreaterThan(0)
      expect(report.shippedIn.count).toBe(report.shipped)
    }, 120_000)

    test('an order goes through its events in the order of the diagram', async () => {
      const { url } = await place()
      const view = await ended(url)
      expect(view.status).toBe('shipped')
      expect(types(view).filter((type) => type !== 'OrderConfirmed')).toEqual([
        'OrderCreated',
        'InventoryReserved',
        'PaymentProcessed',
        'ShippingCreated',
        'NotificationSent',
        'OrderShipped',
      ])
      expect(types(view).indexOf('OrderConfirmed')).toBeLessThan(types(view).indexOf('OrderShipped'))
      for (const { time } of view.history) expect(time).toBe(new Date(time).toISOString())
    }, 60_000)

    test('a declined payment gives the stock back and cancels the order', async () => {
      const { orderId, url } = await place({ cardToken: 'tok_declined' })
      const view = await ended(url)
      expect(view).toMatchObject({ status: 'cancelled', cancelReason: 'payment_declined' })
      expect(types(view).slice(0, 3)).toEqual(['OrderCreated', 'InventoryReserved', 'PaymentFailed'])
      await vi.waitFor(async () => expect(types(await read(url))).toContain('InventoryReleased'), { timeout: 20_000 })
      const charges = (await (await shop.fetchFrom('payment-provider')('/charges')).json()) as Charge[]
      expect(charges.filter((charge) => charge.reference === orderId).map((charge) => charge.status)).toEqual([
        'declined',
      ])
    }, 60_000)

    test('a provider that answers twice is paid once, and its callback kept once', async () => {
      const { orderId, url } = await place({ cardToken: 'tok_twice' })
      const view = await ended(url)
      expect(view.status).toBe('shipped')
      expect(types(view).filter((type) => type === 'PaymentProcessed')).toHaveLength(1)
      const payments = world.openDatabase('payments')
      const callbacks = await payments.query(
        'select c.callback_id from provider_callbacks c join payments p using (charge_id) where p.order_id = $1',
        [orderId],
      )
      expect(callbacks.rows).toHaveLength(1)
      await payments.close()
    }, 60_000)

    test('an order that is out of stock is cancelled without a charge', async () => {
      const { orderId, url } = await place({
        lines: [
          { sku: 'mug', quantity: 1 },
          { sku: 'first-edition', quantity: 1 },
        ],
      })
      const view = await ended(url)
      expect(view).toMatchObject({ status: 'cancelled', cancelReason: 'out_of_stock' })
      expect(types(view)).toEqual(['OrderCreated', 'InventoryReservationFailed', 'OrderCancelled', 'NotificationSent'])
      const charges = (await (await shop.fetchFrom('payment-provider')('/charges')).json()) as Charge[]
      expect(charges.filter((charge) => charge.reference === orderId)).toEqual([])
    }, 60_000)

    test('fifty posts at once with one Idempotency-Key are one order', async () => {
      const key = randomUUID()
      const answers = await Promise.all(Array.from({ length: 50 }, () => place({}, { 'idempotency-key': key })))
      expect(new Set(answers.map((answer) => answer.orderId)).size).toBe(1)
      expect(new Set(answers.map((answer) => answer.correlationId)).size).toBe(1)
    }, 60_000)

    test('an Idempotency-Key is refused for another body, and belongs to its customer alone', async () => {
      const key = randomUUID()
      const first = await place({}, { 'idempotency-key': key })
      const other = await post(order({ lines: [{ sku: 'lamp', quantity: 1 }] }), { 'idempotency-key': key })
      expect(other.status).toBe(422)
      expect(other.headers.get('content-type')).toContain('application/problem+json')
      const elsewhere = await place({ customerId: 'grace' }, { 'idempotency-key': key })
      expect(elsewhere.orderId).not.toBe(first.orderId)
    })

    test.each([['x'.repeat(129)], ['two words'], ['']])(
      'an Idempotency-Key that is not usable is refused (%#)',
      async (key) => {
        expect((await post(order(), { 'idempotency-key': key })).status).toBe(400)
      },
    )

    test('the answer names the order and its request', async () => {
      const answer = await post(order(), { 'x-correlation-id': 'request-4711' })
      const body = (await answer.json()) as { orderId: string }
      expect(answer.headers.get('location')).toBe(`/orders/${body.orderId}`)
      expect(answer.headers.get('x-correlation-id')).toBe('request-4711')
      expect((await read(`/orders/${body.orderId}`)).correlationId).toBe('request-4711')
    })

    test('a correlation id that is not a sane one is replaced', async () => {
      const answer = await post(order(), { 'x-correlation-id': 'a b;<script>' })
      expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/)
    })

    describe('bad input', () => {
      const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
      test.each<[string, unknown, number, string[]]>([
        ['no body at all', '', 400, []],
        ['no JSON', '{"customerId":', 400, []],
        ['a list', [], 400, ['']],
        ['nothing in it', {}, 400, ['customerId', 'email', 'cardToken', 'lines', 'shippingAddress']],
        ['a quantity of nothing', order({ lines: [{ sku: 'mug', quantity: 0 }] }), 400, ['lines.0.quantity']],
        ['half a mug', order({ lines: [{ sku: 'mug', quantity: 0.5 }] }), 400, ['lines.0.quantity']],
        ['an endless number', JSON.stringify(order()).replace('2}', '1e400}'), 400, ['lines.0.quantity']],
        ['no lines', order({ lines: [] }), 400, ['lines']],
        [
          'a product twice',
          order({
            lines: [
              { sku: 'mug', quantity: 1 },
              { sku: 'mug', quantity: 1 },
            ],
          }),
          400,
          ['lines.1.sku'],
        ],
        ['a price of its own', order({ price: 1 }), 400, ['price']],
        ['a status of its own', order({ status: 'shipped' }), 400, ['status']],
        [
          'a unit price in a line',
          order({ lines: [{ sku: 'mug', quantity: 1, unitPrice: 1 }] }),
          400,
          ['lines.0.unitPrice'],
        ],
        ['no mail address', order({ email: 'ada' }), 400, ['email']],
        ['a line break in the mail address', order({ email: 'ada@example.com\nbcc:x@example.com' }), 400, ['email']],
        ['a NUL in a text', order({ customerId: 'a\u0000' }), 400, ['customerId']],
        ['half a character', JSON.stringify(order()).replace('"ada"', '"\\ud800"'), 400, ['customerId']],
        ['a card number instead of a token', order({ cardToken: '4242424242424242' }), 400, ['cardToken']],
        ['a product the shop does not sell', order({ lines: [{ sku: 'unicorn', quantity: 1 }] }), 422, ['lines.0.sku']],
        ['a hostile key', '{"__proto__":{"admin":true}}', 400, []],
        ['a hostile constructor', '{"constructor":{"prototype":{"admin":true}}}', 400, []],
        ['a body as deep as it is wide', deep, 400, []],
        ['a body that is too large', order({ customerId: 'x'.repeat(40_000) }), 413, []],
      ])('%s is refused with a problem document', async (_, body, status, paths) => {
        const answer = await post(body)
        const text = await answer.text()
        expect(answer.status, text).toBe(status)
        expect(answer.headers.get('content-type')).toContain('application/problem+json')
        const problem = JSON.parse(text) as {
          title: string
          detail: string
          status: number
          errors?: { path: string }[]
        }
        expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
        for (const path of paths) expect(problem.errors?.map((error) => error.path)).toContain(path)
        expect(text).not.toMatch(/\bat .*\.ts|node_modules|select |127\.0\.0\.1/)
        expect(({} as { admin?: unknown }).admin).toBeUndefined()
      })

      test('a body that is not JSON is refused by its type', async () => {
        const answer = await gateway('/orders', {
          method: 'POST',
          headers: { 'content-type': 'text/xml' },
          body: '<order/>',
        })
        expect(answer.status).toBe(415)
        expect(answer.headers.get('content-type')).toContain('application/problem+json')
      })

      test.each(['/orders/nope', `/orders/${randomUUID()}`, "/orders/'%20or%201=1", '/elsewhere'])(
        'GET %s is not found',
        async (path) => {
          const answer = await gateway(path)
          expect(answer.status).toBe(404)
          expect(answer.headers.get('content-type')).toContain('application/problem+json')
        },
      )
    })

    test('a record that cannot be read is set aside with its bytes, and the orders behind it go on', async () => {
      const garbage = {
        topic: OrderEvents.name,
        key: Buffer.from('poison'),
        value: Buffer.from('{"not":"an event'),
        headers: [],
      }
      await world.transport.send([garbage, { ...garbage, value: null }])
      expect((await ended((await place()).url)).status).toBe('shipped')
      const inventory: Sql = world.openDatabase('inventory')
      await vi.waitFor(
        async () => {
          const rejected = await listRejected(inventory)
          expect(rejected.map((record) => record.message.value?.toString() ?? null)).toEqual(
            expect.arrayContaining(['{"not":"an event', null]),
          )
        },
        { timeout: 20_000 },
      )
      await inventory.close()
    }, 60_000)

    test('every part says that it is alive and ready', async () => {
      for (const part of Object.values(parts)) {
        expect((await shop.fetchFrom(part.name)('/livez')).status, part.name).toBe(200)
        const ready = await shop.fetchFrom(part.name)('/readyz')
        expect(ready.status, `${part.name}: ${await ready.text()}`).toBe(200)
      }
    })
  })
}
