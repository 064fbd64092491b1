import { PGlite } from '@electric-sql/pglite'
import { type Clock, type Logger, type Sender, systemClock, type Transport } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { createPglite } from '@evtkit/sdk/postgres/pglite'
import { type Fetch, fetchInProcess } from './fetch.ts'
import { PartHost } from './part-host.ts'
import type { Part, PartName, Service } from './service.ts'
import type { Settings } from './settings.ts'

export interface EmbeddedPlatformOptions {
  readonly parts: Readonly<Record<PartName, Part | Service>>
  readonly logger: Logger
  /** @default the computer's */
  readonly clock?: Clock
  /** The gateway's port; 0 for a free one. */
  readonly port: number
  /** Settings other than the embedded ones. */
  readonly settings?: Partial<Settings>
  /** Put around what the services send to, such as a sender that repeats records. @default nothing */
  readonly aroundSender?: (sender: Sender) => Sender
}

/** The whole shop in this process. */
export interface EmbeddedShop {
  /** Base URL of the gateway. */
  readonly url: string
  readonly transport: Transport
  fetchFrom(part: PartName): Fetch
  close(): Promise<void>
}

const embedded: Settings = {
  port: 0,
  smtpPort: undefined,
  smtpUrl: undefined,
  paymentTimeoutMs: 1000,
  paymentRecheckMs: 1000,
  ledgerFile: undefined,
  mailFile: undefined,
  kafkaBrokers: undefined,
  sessionTimeoutMs: 30_000,
  databaseUrl: undefined,
}

const closeMs = 5000

/** Starts every part on a memory broker and one PGlite, a schema for each service; only the gateway opens a port. */
export async function startEmbeddedShop(options: EmbeddedPlatformOptions): Promise<EmbeddedShop> {
  const { parts, logger, clock = systemClock, port, aroundSender } = options
  const settings = { ...embedded, ...options.settings }
  const database = await PGlite.create()
  const broker = createMemoryBroker({ clock, logger })
  const hosts = new Map<PartName, PartHost>()
  const fetchFrom = (part: PartName) => fetchInProcess(() => hostOf(hosts, part).http)

  for (const part of Object.values(parts))
    hosts.set(
      part.name,
      new PartHost({
        part,
        logger,
        clock,
        settings,
        fetchFrom,
        openDatabase: () => createPglite(database, { schema: part.name }),
        openBroker: () => broker.connect(),
        ...(aroundSender && { aroundSender }),
      }),
    )
  const close = async () => {
    // The front door first, the outside world last: whoever is still working finds what it calls.
    for (const host of [...hosts.values()].reverse()) await host.close(closeMs)
    await broker.close()
    await database.close()
  }
  try {
    for (const host of hosts.values()) await host.start()
    const url = await hostOf(hosts, 'gateway').listen(port)
    return { url, transport: broker, fetchFrom, close }
  } catch (error) {
    await close()
    throw error
  }
}

function hostOf(hosts: ReadonlyMap<PartName, PartHost>, part: PartName): PartHost {
  const host = hosts.get(part)
  if (host === undefined) throw new Error(`there is no part "${part}" in this shop`)
  return host
}
