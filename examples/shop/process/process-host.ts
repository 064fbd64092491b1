import { type Logger, systemClock } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres } from '@evtkit/sdk/postgres'
import { fetchAt } from '../platform/fetch.ts'
import { PartHost } from '../platform/part-host.ts'
import type { PartName } from '../platform/service.ts'
import { readSettings } from '../platform/settings.ts'
import { openWire } from '../platform/wire.ts'
import { parts } from './parts.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** One part on a real broker, a real database of its own, and real ports, as the environment says. */
export function createProcessHost(name: PartName, env: Environment, logger: Logger): { host: PartHost; port: number } {
  const settings = readSettings(env)
  const host = new PartHost({
    part: parts[name],
    logger,
    clock: systemClock,
    settings,
    topics: 'verify',
    openWire: () => openWire(settings, logger),
    fetchFrom: (part) => fetchAt(urlOf(env, part)),
    openDatabase: () =>
      createPostgres({
        connectionString: settings.databaseUrl ?? missing('SHOP_DATABASE_URL'),
        applicationName: `shop-${name}`,
        logger,
      }),
    openBroker: () =>
      createKafka({
        brokers: settings.kafkaBrokers ?? missing('KAFKA_BROKERS'),
        clientId: name,
        sessionTimeoutMs: settings.sessionTimeoutMs,
        heartbeatIntervalMs: Math.min(3000, Math.floor(settings.sessionTimeoutMs / 3)),
        logger,
      }),
  })
  return { host, port: settings.port }
}

function urlOf(env: Environment, part: PartName): string {
  const name = `SHOP_URL_${part.replaceAll('-', '_').toUpperCase()}`
  return env[name] ?? missing(name)
}

function missing(name: string): never {
  throw new Error(`${name} is not set; this part needs it`)
}
