import { randomUUID } from 'node:crypto'
import { createProducer, type RawMessage } from '@evtkit/sdk'
import { createPostgres, migrate, type Sql } from '@evtkit/sdk/postgres'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { AboutOrder } from '../contracts/index.ts'
import { followOrder } from './follow-order.ts'
import { migrations } from './migrations.ts'
import { readHistory } from './order-history.ts'
import { readOrder } from './order-row.ts'
import type { OrderFact } from './order-status.ts'

const name = `follow_order_${randomUUID().slice(0, 8)}`
let sql: Sql

const execute = async (statement: string) => {
  const client = new pg.Client({ connectionString: inject('databaseUrl') })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

beforeAll(async () => {
  await execute(`create database ${name}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  sql = createPostgres({ connectionString: url.href })
  await migrate(sql, [migrations])
})

afterAll(async () => {
  await sql?.close()
  await execute(`drop database if exists ${name} with (force)`)
})

const recipient = { email: 'a@example.com', name: 'A', street: 'S', city: 'C', postalCode: '1', country: 'DE' }
const facts: readonly OrderFact[] = ['stock-reserved', 'paid', 'parcel-labelled', 'customer-told']

const placedOrder = async () => {
  const orderId = randomUUID()
  await sql.query(
    `insert into orders (order_id, customer_id, correlation_id, status, lines, amount, currency, recipient)
     values ($1, 'ada', 'c', 'placed', '[]', 100, 'EUR', $2::jsonb)`,
    [orderId, JSON.stringify(recipient)],
  )
  return orderId
}

/** What an order says while it is followed, in the order of saying it. */
const listen = () => {
  const said: RawMessage[] = []
  const outbox = {
    in: () => ({ send: async (messages: readonly RawMessage[]) => void said.push(...messages) }),
    onAppend: () => () => {},
  }
  const producer = createProducer({ sender: outbox.in(), source: 'order-service' })
  return {
    edges: { producer, outbox },
    types: () => said.map((message) => JSON.parse(String(message.value)).eventType),
  }
}

const about = (orderId: string, fact: OrderFact): AboutOrder => ({
  eventId: randomUUID(),
  eventType: fact,
  eventVersion: 'v1',
  timestamp: new Date().toISOString(),
  source: 'test',
  correlationId: 'c',
  causationId: null,
  data: { orderId },
  metadata: {},
})

test.each(['in transactions of their own', 'in one transaction'])(
  'facts of one order that arrive at once, %s, move it once each way',
  async (how) => {
    for (let round = 0; round < 10; round++) {
      const orderId = await placedOrder()
      const { edges, types } = listen()
      const arriving = facts.toReversed().map((fact) => ({ fact, event: about(orderId, fact) }))
      if (how === 'in one transaction')
        await sql.transaction((tx) =>
          Promise.all(arriving.map(({ fact, event }) => followOrder(edges, tx, event, fact))),
        )
      else
        await Promise.all(
          arriving.map(({ fact, event }) => sql.transaction((tx) => followOrder(edges, tx, event, fact))),
        )
      expect((await readOrder(sql, orderId))?.status).toBe('shipped')
      expect(types()).toEqual(['OrderConfirmed', 'OrderShipped'])
      expect(await readHistory(sql, orderId)).toHaveLength(facts.length + 2)
    }
  },
)

test('a fact about an order that does not exist is set aside, not tried for ever', async () => {
  const { edges } = listen()
  const event = about(randomUUID(), 'paid')
  await expect(sql.transaction((tx) => followOrder(edges, tx, event, 'paid'))).rejects.toMatchObject({
    code: 'EVT_INVALID_RECORD',
  })
})
