import type { Consumer } from '@evtkit/sdk'
import { defineEvent, defineTopic } from '@evtkit/sdk'
import { createOutbox } from '@evtkit/sdk/outbox'
import type { Sql, Tx } from '@evtkit/sdk/postgres'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createInbox } from './index.ts'

declare const sql: Sql
declare const consumer: Consumer

const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: defineTopic({ name: 'orders' }),
  schema: z.object({ orderId: z.string() }),
  key: (order) => order.orderId,
})
const inbox = createInbox({ sql })
const outbox = createOutbox()

test('the payload and the transaction reach the handler by inference alone', () => {
  consumer.on(
    OrderCreated,
    inbox.once(async (event, { tx, signal }) => {
      expectTypeOf(event.data).toEqualTypeOf<{ orderId: string }>()
      expectTypeOf(event.eventType).toEqualTypeOf<'OrderCreated'>()
      expectTypeOf(tx).toEqualTypeOf<Tx>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    }),
  )
  consumer.on(
    OrderCreated,
    inbox.once(
      async (event) => {
        // @ts-expect-error no such field
        event.data.nope
      },
      { name: 'named' },
    ),
  )
})

test('an outbox takes nothing but a transaction', () => {
  // @ts-expect-error a database is not a transaction
  outbox.in(sql)
  // @ts-expect-error whatever can run statements is not a transaction
  outbox.in({ query: async () => ({ rows: [], rowCount: 0 }) })
})
