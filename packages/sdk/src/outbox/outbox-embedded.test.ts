import { PGlite } from '@electric-sql/pglite'
import {
  createProducer,
  type Delivery,
  defineEvent,
  defineTopic,
  type Envelope,
  silentLogger,
  UnknownTopicError,
} from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { migrate, type Sql } from '@evtkit/sdk/postgres'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../../test/eventually.ts'
import { RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, createRelay, outboxMigrations, outboxSetAside } from './index.ts'

const Orders = defineTopic({ name: 'orders' })
const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: Orders,
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})
const StockReserved = defineEvent({
  type: 'StockReserved',
  topic: Orders,
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})

let database: PGlite
let sql: Sql
let sender: RecordingSender
beforeAll(async () => {
  database = await PGlite.create()
  sql = createPglite(database, { schema: 'inventory' })
  await migrate(sql, [outboxMigrations, inboxMigrations])
}, 120_000)
beforeEach(async () => {
  await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside, evtkit_inbox')
  sender = new RecordingSender()
})
afterAll(async () => {
  await database.close()
})

const quick = { balanceMs: 50, logger: silentLogger, backoff: { initialMs: 20, maxMs: 100 } } as const

describe('outbox, relay and inbox on one embedded connection', () => {
  test('carry an event handled once to what follows from it', async () => {
    const outbox = createOutbox()
    const inbox = createInbox({ sql })
    const relay = createRelay({ sql, sender, outbox, ...quick })
    const producer = createProducer({ sender, source: 'inventory' })
    await relay.start()
    const event: Envelope<'OrderCreated', { orderId: string }> = await producer.publish(OrderCreated, {
      orderId: 'o-1',
    })
    const handler = inbox.once<'OrderCreated', { orderId: string }>(async (order, { tx }) => {
      await producer.causedBy(order).through(outbox.in(tx)).publish(StockReserved, { orderId: order.data.orderId })
    })
    const message = sender.appended[0] ?? textMessage(null, '')
    const delivery: Delivery = { message, partition: 0, offset: 0n, group: 'inventory', attempt: 1, replay: null }
    const context = { delivery, group: 'inventory', signal: new AbortController().signal }
    await Promise.all([handler(event, context), handler(event, context)])
    await eventually(() => expect(sender.appended.length).toBe(2))
    expect(JSON.parse(String(sender.appended[1]?.value))).toMatchObject({
      eventType: 'StockReserved',
      causationId: event.eventId,
      correlationId: event.correlationId,
    })
    expect(inbox.stats()).toMatchObject({ handled: 1, duplicates: 1 })
    await eventually(async () => expect(await relay.stats()).toMatchObject({ depth: 0, relayed: 1 }))
    await relay.close()
  })

  test('keep order, set poison aside and put it back, as on a server', async () => {
    const outbox = createOutbox()
    const relay = createRelay({ sql, sender, outbox, ...quick })
    await relay.start()
    let poison = true
    sender.stopsKey = true
    sender.refuse = (message) =>
      poison && String(message.value) === 'a2' ? new UnknownTopicError('orders') : undefined
    const send = (...pairs: readonly (readonly [string, string])[]) =>
      sql.transaction((tx) => outbox.in(tx).send(pairs.map(([key, value]) => textMessage(key, value))))
    await Promise.all([send(['a', 'a1'], ['b', 'b1'], ['a', 'a2']), send(['c', 'c1'])])
    await send(['a', 'a3'], ['b', 'b2'])
    await eventually(() => expect(sender.values().sort()).toEqual(['a1', 'b1', 'b2', 'c1']))
    const list = await eventually(async () => {
      const rows = await outboxSetAside(sql).list()
      expect(rows).toMatchObject([{ errorCode: 'EVT_UNKNOWN_TOPIC', waitingBehind: 1 }])
      return rows
    })
    poison = false
    expect(await outboxSetAside(sql).retry(list[0]?.id ?? '')).toBe(true)
    relay.nudge()
    await eventually(() => expect(sender.values('a')).toEqual(['a1', 'a2', 'a3']))
    await relay.close()
  })

  test('work while a transaction holds the connection: the relay waits and nothing deadlocks', async () => {
    const outbox = createOutbox()
    const relay = createRelay({ sql, sender, outbox, ...quick })
    await relay.start()
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        sql.transaction(async (tx) => {
          await tx.query('select 1')
          await new Promise((resolve) => setImmediate(resolve))
          await outbox.in(tx).send([textMessage('k', String(i))])
        }),
      ),
    )
    await eventually(() => expect(sender.values()).toEqual(Array.from({ length: 20 }, (_, i) => String(i))))
    await relay.close()
  })

  test('share nothing between two schemas of one database', async () => {
    const other = createPglite(database, { schema: 'payments' })
    await migrate(other, [outboxMigrations])
    const otherSender = new RecordingSender()
    const outbox = createOutbox()
    const relays = [
      createRelay({ sql, sender, outbox, ...quick }),
      createRelay({ sql: other, sender: otherSender, outbox, ...quick }),
    ]
    for (const relay of relays) await relay.start()
    await sql.transaction((tx) => outbox.in(tx).send([textMessage('a', 'inventory')]))
    await other.transaction((tx) => outbox.in(tx).send([textMessage('a', 'payments')]))
    await eventually(() => expect([sender.values(), otherSender.values()]).toEqual([['inventory'], ['payments']]))
    for (const relay of relays) await relay.close()
  })
})
