/** The outbox: writing in a transaction, and carrying out what was written, against plain `pg`. */
import { createOutbox, outboxMigrations } from '@evtkit/sdk/outbox'
import { createPostgres, migrate } from '@evtkit/sdk/postgres'
import pg from 'pg'
import type { BenchmarkCase, Suite } from '../case.ts'
import { outboxDrain } from './outbox-drain.ts'
import { outboxInsert } from './outbox-insert.ts'
import { outboxLatency } from './outbox-latency.ts'
import { outboxToBroker } from './outbox-to-broker.ts'
import { createPeerTables, type OutboxWorld } from './outbox-world.ts'

export const outboxSuite: Suite = {
  name: 'outbox',
  async open(servers, scale) {
    const rows = Math.ceil(50_000 * scale)
    const databaseUrl = await servers.databaseUrl()
    const sql = createPostgres({ connectionString: databaseUrl })
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 32 })
    const world: OutboxWorld = { databaseUrl, sql, pool, outbox: createOutbox() }
    await migrate(sql, [outboxMigrations])
    await createPeerTables(pool)
    const insert = outboxInsert(world)
    const broker = await outboxToBroker(world, servers, rows)
    const cases: BenchmarkCase[] = [...insert.cases, outboxDrain(world, rows), broker.benchmark, outboxLatency(world)]
    return {
      cases,
      async close() {
        await broker.close()
        await insert.close()
        await pool.end()
        await sql.close()
      },
    }
  },
}
