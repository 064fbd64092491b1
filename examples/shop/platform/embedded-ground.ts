import { PGlite } from '@electric-sql/pglite'
import { type Clock, type Logger, systemClock } from '@evtkit/sdk'
import { createMemoryBroker, type MemoryBroker } from '@evtkit/sdk/memory'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import type { Ground } from './shop.ts'

/** A broker and a database inside this process: nothing is installed, nothing is kept. */
export interface EmbeddedGround extends Ground {
  readonly broker: MemoryBroker
  close(): Promise<void>
}

/** A memory broker, and one PGlite with a schema for each service. */
export async function createEmbeddedGround(logger: Logger, clock: Clock = systemClock): Promise<EmbeddedGround> {
  const database = await PGlite.create()
  const broker = createMemoryBroker({ clock, logger })
  return {
    broker,
    openDatabase: (service) => createPglite(database, { schema: service }),
    openBroker: () => broker.connect(),
    async close() {
      await broker.close()
      await database.close()
    },
  }
}
