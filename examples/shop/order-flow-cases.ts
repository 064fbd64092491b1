/** What the shop promises about orders, asked of it in any world it runs in. */
import { randomUUID } from 'node:crypto'
import {
  headerNames,
  headerText,
  type Logger,
  type Sender,
  silentLogger,
  systemClock,
  type Transport,
} from '@evtkit/sdk'
import { createDeadLetters } from '@evtkit/sdk/dead-letters'
import type { Sql } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { anOrder, badOrders } from './bad-orders.ts'
import { OrderEvents } from './contracts/index.ts'
import { runOrders } from './load/order-run.ts'
import { repeatingSender } from './load/repeating-sender.ts'
import { type FetchRequest, fetchAt } from './platform/fetch.ts'
import { type Ground, type Shop, startShop } from './platform/shop.ts'
import { jsonWire, type Wire } from './platform/wire.ts'
import { parts } from './process/parts.ts'

/** A world to run the shop in. */
export interface World extends Ground {
  /** What facts are written as here. */
  readonly format: 'json' | 'avro'
  /** Another client of the broker, for the tests. */
  readonly transport: Transport
  close(): Promise<void>
}

const OrderView = z.object({
  status: z.string(),
  cancelReason: z.string().nullable(),
  correlationId: z.string(),
  history: z.array(z.object({ eventType: z.string(), time: z.string() })),
})
type OrderView = z.infer<typeof OrderView>
const Placed = z.object({ orderId: z.string(), url: z.string(), correlationId: z.string() })
const Charges = z.array(z.object({ reference: z.string(), status: z.string() }))
const Problem = z.object({
  status: z.int(),
  title: z.string().min(1),
  detail: z.string().min(1),
  errors: z.array(z.object({ path: z.string() })).default([]),
})

export function describeOrderFlow(name: string, createWorld: (logger: Logger) => Promise<World>): void {
  describe(name, () => {
    let world: World
    let shop: Shop
    let wire: Wire

    const contentTypes = new Set<string | undefined>()
    const published = new Set<string>()
    /** Notes of everything that is sent what it is written as, who says it, and what it says. */
    const noting = (sender: Sender): Sender => ({
      send(messages) {
        for (const message of messages) {
          contentTypes.add(headerText(message, headerNames.contentType))
          published.add(`${headerText(message, headerNames.source)}: ${headerText(message, headerNames.eventType)}`)
        }
        return sender.send(messages)
      },
    })

    beforeAll(async () => {
      world = await createWorld(silentLogger)
      wire = world.openWire?.('gateway') ?? jsonWire()
      // Every other record comes twice, in everything that follows.
      const aroundSender = (sender: Sender) => noting(repeatingSender(sender, 2))
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
      await wire?.close()
      await world?.close()
    }, 60_000)

    const gateway = (path: string, request?: FetchRequest) => fetchAt(shop.url)(path, request)
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      gateway('/orders', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
    const read = async (url: string) => OrderView.parse(await (await gateway(url)).json())
    const charges = async () => Charges.parse(await (await shop.fetchFrom('payment-provider')('/charges')).json())
    const place = async (over: object = {}, headers: Record<string, string> = {}) => {
      const answer = await post(anOrder(over), headers)
      expect(answer.status).toBe(202)
      return Placed.parse(await answer.json())
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
        codec: wire.codec,
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
      expect((await charges()).filter((charge) => charge.reference === orderId).map((charge) => charge.status)).toEqual(
        ['declined'],
      )
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
      expect((await charges()).filter((charge) => charge.reference === orderId)).toEqual([])
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
      const other = await post(anOrder({ lines: [{ sku: 'lamp', quantity: 1 }] }), { 'idempotency-key': key })
      expect(other.status).toBe(422)
      expect(other.headers.get('content-type')).toContain('application/problem+json')
      const elsewhere = await place({ customerId: 'grace' }, { 'idempotency-key': key })
      expect(elsewhere.orderId).not.toBe(first.orderId)
    })

    test.each([['x'.repeat(129)], ['two words'], ['']])(
      'an Idempotency-Key that is not usable is refused (%#)',
      async (key) => {
        expect((await post(anOrder(), { 'idempotency-key': key })).status).toBe(400)
      },
    )

    test('the answer names the order and its request', async () => {
      const answer = await post(anOrder(), { 'x-correlation-id': 'request-4711' })
      const body = Placed.parse(await answer.json())
      expect(answer.headers.get('location')).toBe(`/orders/${body.orderId}`)
      expect(answer.headers.get('x-correlation-id')).toBe('request-4711')
      expect((await read(`/orders/${body.orderId}`)).correlationId).toBe('request-4711')
    })

    test('a correlation id that is not a sane one is replaced', async () => {
      const answer = await post(anOrder(), { 'x-correlation-id': 'a b;<script>' })
      expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/)
    })

    describe('bad input', () => {
      test.each(badOrders)('%s is refused with a problem document', async (_, body, status, paths) => {
        const answer = await post(body)
        const text = await answer.text()
        expect(answer.status, text).toBe(status)
        expect(answer.headers.get('content-type')).toContain('application/problem+json')
        const problem = Problem.parse(JSON.parse(text))
        expect(problem.status).toBe(status)
        for (const path of paths) expect(problem.errors.map((error) => error.path)).toContain(path)
        expect(text).not.toMatch(/\bat .*\.ts|node_modules|select |127\.0\.0\.1/)
        expect('admin' in {}).toBe(false)
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
          const rejected = await createDeadLetters({ sql: inventory }).list()
          expect(rejected.map((record) => record.message.value?.toString() ?? null)).toEqual(
            expect.arrayContaining(['{"not":"an event', null]),
          )
        },
        { timeout: 20_000 },
      )
      await inventory.close()
    }, 60_000)

    test('facts are written in the format of this world, and each service publishes exactly what it says it does', () => {
      expect([...contentTypes]).toEqual([
        world.format === 'avro' ? 'application/vnd.confluent.avro' : 'application/json',
      ])
      const said = Object.values(parts).flatMap((part) =>
        part.kind === 'service'
          ? part.publishes.map((event) => `${part.name.replace(/s$/, '')}-service: ${event.type}`)
          : [],
      )
      expect([...published].sort()).toEqual(said.sort())
    })

    test('every part says that it is alive and ready', async () => {
      for (const part of Object.values(parts)) {
        expect((await shop.fetchFrom(part.name)('/livez')).status, part.name).toBe(200)
        const ready = await shop.fetchFrom(part.name)('/readyz')
        expect(ready.status, `${part.name}: ${await ready.text()}`).toBe(200)
      }
    })
  })
}
