import { PGlite } from '@electric-sql/pglite'
import { type Clock, type Logger, systemClock } from '@evtkit/sdk'
import { createMemoryBroker, type MemoryBroker } from '@evtkit/sdk/memory'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { createSchemaRegistry } from '@evtkit/sdk/registry/server'
import type { Settings } from './settings.ts'
import type { Ground } from './shop.ts'
import { registerShopSchemas } from './shop-schemas.ts'
import { avroWire, jsonWire, type Wire } from './wire.ts'

/** A broker and a database inside this process: nothing is installed, nothing is kept. */
export interface EmbeddedGround extends Ground {
  readonly broker: MemoryBroker
  openWire(): Wire
  close(): Promise<void>
}

/** A memory broker, and one PGlite with a schema for each service; for Avro, a schema registry that has all schemas. */
export async function createEmbeddedGround(
  logger: Logger,
  clock: Clock = systemClock,
  codec: Settings['codec'] = 'json',
): Promise<EmbeddedGround> {
  const database = await PGlite.create()
  const broker = createMemoryBroker({ clock, logger })
  const registry = codec === 'avro' ? createSchemaRegistry({ logger }) : undefined
  if (registry !== undefined) await registerShopSchemas(registry.client())
  return {
    broker,
    openDatabase: (service) => createPglite(database, { schema: service }),
    openBroker: () => broker.connect(),
    openWire: () => (registry === undefined ? jsonWire() : avroWire(registry.client({ logger, clock }))),
    async close() {
      await broker.close()
      await database.close()
    },
  }
}
