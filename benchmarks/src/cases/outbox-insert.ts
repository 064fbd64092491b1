import { createProducer } from '@evtkit/sdk'
import { createPostgres, type Sql, type Tx } from '@evtkit/sdk/postgres'
import type { PoolClient } from 'pg'
import { runCallers } from '../callers.ts'
import type { BenchmarkCase, Round } from '../case.ts'
import { order } from '../order-event.ts'
import { emptyTables, insertOrder, insertPeerOutbox, OrderPlaced, type OutboxWorld } from './outbox-world.ts'

/** A transaction that writes a business row and an event, on so many connections at once. */
export function outboxInsert(world: OutboxWorld): { readonly cases: BenchmarkCase[]; close(): Promise<void> } {
  const opened: Sql[] = []
  const open = async (connections: number) => {
    const sql = createPostgres({ connectionString: world.databaseUrl, maxConnections: connections })
    opened.push(sql)
    // Every connection is open before the first one counts, as the peer's are.
    await Promise.all(Array.from({ length: connections }, () => sql.query('select pg_sleep(0.05)')))
    return sql
  }
  return {
    cases: [1, 8, 32].map((connections) => insertOn(world, connections, open)),
    async close() {
      for (const sql of opened) await sql.close()
    },
  }
}

function insertOn(world: OutboxWorld, connections: number, open: (connections: number) => Promise<Sql>): BenchmarkCase {
  const payload = Buffer.from(JSON.stringify(order(0)))
  const headers = JSON.stringify({ 'content-type': 'application/json', 'event-type': OrderPlaced.type })
  const producer = createProducer({ sender: nowhere, source: 'benchmark' })
  let opening: Promise<Sql> | undefined

  const ours = (insert: (tx: Tx, values: readonly unknown[]) => Promise<unknown>) => async (round: Round) => {
    await emptyTables(world)
    opening ??= open(connections)
    const sql = await opening
    return runCallers(connections, round, (n) =>
      sql.transaction(async (tx) => {
        const placed = order(n)
        await insert(tx, [placed.orderId, placed.customerId, placed.totalCents])
        await producer.through(world.outbox.in(tx)).publish(OrderPlaced, placed)
      }),
    )
  }

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
      { name: 'tx.query, outbox.in(tx)', run: ours((tx, values) => tx.query(insertOrder, values)) },
      // For a row whose insertion nobody needs to hear of before the commit: everything in one round trip.
      { name: 'tx.enqueue, outbox.in(tx)', run: ours((tx, values) => tx.enqueue(insertOrder, values)) },
    ],
    targets: [{ contender: 'tx.query, outbox.in(tx)', measure: 'ratio', atLeast: 1.2 }],
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
