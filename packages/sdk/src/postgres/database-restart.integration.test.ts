/** A database that is torn down in the middle of everything and comes back, again and again. */

import { startPostgres } from '@evtkit/local-stack'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { afterAll, expect, test } from 'vitest'
import { countedEvent } from '../../../../test/counted-event.ts'
import { eventually } from '../../../../test/eventually.ts'
import { closeInOrder } from '../core/close-in-order.ts'
import { createConsumer } from '../core/consumer.ts'
import { isEvtError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { createProducer } from '../core/producer.ts'
import { createInbox, inboxMigrations } from '../inbox/index.ts'
import { createOutbox, createRelay, outboxMigrations } from '../outbox/index.ts'
import { createPostgres, migrate } from './index.ts'

const server = await startPostgres({ progress: () => {} })
afterAll(() => server.stop())

test('an immediate stop and start, three times under load, loses nothing from the change to its effect and applies nothing twice', async () => {
  const sql = createPostgres({ connectionString: server.url, connectTimeoutMs: 1000, logger: silentLogger })
  await migrate(sql, [outboxMigrations, inboxMigrations])
  await sql.query('create table wanted (n integer primary key); create table counted (n integer not null)')
  const broker = createMemoryBroker({ logger: silentLogger })
  const Counted = countedEvent('restarts')
  await broker.createTopics([Counted.topic])

  const outbox = createOutbox()
  const soon = { initialMs: 20, maxMs: 200 }
  const relay = createRelay({ sql, sender: broker, outbox, backoff: soon, balanceMs: 50, logger: silentLogger })
  const producer = createProducer({ sender: broker, source: 'test' })
  const inbox = createInbox({ sql, logger: silentLogger })
  const rejected: unknown[] = []
  const consumer = createConsumer({
    source: broker.connect(),
    group: 'counting',
    rejected: ({ error }) => void rejected.push(error),
    retry: soon,
    probe: soon,
    logger: silentLogger,
  })
  consumer.on(
    Counted,
    inbox.once<'Counted', { key: string; n: number }>(async ({ data }, { tx }) => {
      await tx.query('insert into counted (n) values ($1)', [data.n])
    }),
  )
  await relay.start()
  await consumer.start()

  /** A client that asks again until it knows; that a first time went through after all, the primary key tells. */
  const want = async (n: number): Promise<void> => {
    for (;;)
      try {
        return await sql.transaction(async (tx) => {
          const insert = 'insert into wanted (n) values ($1) on conflict do nothing'
          const { rowCount } = await tx.query(insert, [n])
          if (rowCount === 1) await producer.through(outbox.in(tx)).publish(Counted, { key: `k${n % 10}`, n })
        })
      } catch (error) {
        if (!isEvtError(error) || error.code !== 'EVT_DATABASE_UNAVAILABLE') throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
  }
  const total = 300
  let wanted = 0
  const clients = Array.from({ length: 4 }, async () => {
    while (wanted < total) await want(wanted++)
  })
  for (let round = 1; round <= 3; round++) {
    // In the middle of the work: the next part of the load has begun and is not through.
    await eventually(() => expect(wanted).toBeGreaterThanOrEqual(Math.min(total - 20, round * 70)))
    await server.kill('SIGQUIT')
    await eventually(async () => expect(await server.isAlive()).toBe(false))
    await server.restart()
  }
  await Promise.all(clients)
  const numbers = async (table: string) => (await sql.query(`select n from ${table} order by n`)).rows.map(({ n }) => n)
  const all = Array.from({ length: total }, (_, n) => n)
  await eventually(async () => expect((await numbers('counted')).length).toBe(total))
  expect(await numbers('wanted')).toEqual(all)
  expect(await numbers('counted')).toEqual(all)
  expect(rejected).toEqual([])
  expect((await relay.stats()).setAside).toBe(0)
  await eventually(() => expect([consumer.health().ready, relay.health().ready]).toEqual([true, true]))
  await closeInOrder({ consumer, relay, broker, sql })
})
