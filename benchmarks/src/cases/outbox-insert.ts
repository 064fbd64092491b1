import { createProducer, jsonCodec } from '@evtkit/sdk'
import { createPostgres } from '@evtkit/sdk/postgres'
import type { PoolClient } from 'pg'
import { runCallers } from '../callers.ts'
import type { BenchmarkCase } from '../case.ts'
import { order } from '../order-event.ts'
import { emptyTables, insertOrder, insertPeerOutbox, OrderPlaced, type OutboxWorld } from './outbox-world.ts'

/** A transaction that writes a business row and an event, on so many connections at once. */
export function outboxInsert(world: OutboxWorld): BenchmarkCase[] {
  return [1, 8, 32].map((connections) => insertOn(world, connections))
}

function insertOn(world: OutboxWorld, connections: number): BenchmarkCase {
  const payload = Buffer.from(JSON.stringify(order(0)))
  const headers = JSON.stringify({ 'content-type': jsonCodec.contentType, 'event-type': OrderPlaced.type })
  return {
    name: `outbox/insert-${connections}-connection${connections === 1 ? '' : 's'}`,
    contenders: [
      {
        name: 'pg, four round trips',
        async run(round) {
          await emptyTables(world)
          const clients = await Promise.all(Array.from({ length: connections }, () => world.pool.connect()))
          const sample = await runCallers(connections, round, async (n, caller) => {
            const client = clients[caller]
            if (client !== undefined) await insertPlainly(client, n, payload, headers)
          })
          for (const client of clients) client.release()
          return sample
        },
      },
      {
        name: 'sql.transaction, outbox.in(tx)',
        async run(round) {
          await emptyTables(world)
          const sql = createPostgres({ connectionString: world.databaseUrl, maxConnections: connections })
          const producer = createProducer({ sender: nowhere, source: 'benchmark' })
          // Every connection is open before the first one counts, as the peer's are.
          await Promise.all(Array.from({ length: connections }, () => sql.query('select pg_sleep(0.02)')))
          const sample = await runCallers(connections, round, (n) =>
            sql.transaction(async (tx) => {
              const placed = order(n)
              await tx.query(insertOrder, [placed.orderId, placed.customerId, placed.totalCents])
              await producer.through(world.outbox.in(tx)).publish(OrderPlaced, placed)
            }),
          )
          await sql.close()
          return sample
        },
      },
    ],
    targets: [{ contender: 'sql.transaction, outbox.in(tx)', measure: 'ratio', atLeast: 1.2 }],
  }
}

const nowhere = { send: () => Promise.reject(new Error('everything is published through the outbox here')) }

async function insertPlainly(client: PoolClient, n: number, payload: Buffer, headers: string): Promise<void> {
  const placed = order(n)
  await client.query('BEGIN')
  await client.query(insertOrder, [placed.orderId, placed.customerId, placed.totalCents])
  await client.query(insertPeerOutbox, [OrderPlaced.topic.name, placed.orderId, payload, headers])
  await client.query('COMMIT')
}
