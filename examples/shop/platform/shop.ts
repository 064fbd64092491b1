import { type Clock, type Logger, type Sender, systemClock, type Transport } from '@evtkit/sdk'
import type { Sql } from '@evtkit/sdk/postgres'
import { type Fetch, fetchInProcess } from './fetch.ts'
import { PartHost } from './part-host.ts'
import type { Part, PartName, Service } from './service.ts'
import type { Settings } from './settings.ts'
import { jsonWire, type Wire } from './wire.ts'

/** What the services of a shop stand on. Whoever made it takes it down, after the shop was closed. */
export interface Ground {
  /** A service's own database. Closed with its service. */
  openDatabase(service: PartName): Sql
  /** A service's own client of the broker. Closed with its service. */
  openBroker(service: PartName): Transport
  /** A service's own codec. Closed with its service. @default JSON */
  openWire?(service: PartName): Wire
}

export interface ShopOptions {
  readonly parts: Readonly<Record<PartName, Part | Service>>
  readonly ground: Ground
  readonly logger: Logger
  /** @default the computer's */
  readonly clock?: Clock
  /** The gateway's port. @default 0, a free one */
  readonly port?: number
  /** @default what suits one process */
  readonly settings?: Partial<Settings>
  /** Put around what the services send to, such as a sender that repeats records. @default nothing */
  readonly aroundSender?: (sender: Sender) => Sender
}

/** The whole shop in this process: its parts speak HTTP with each other without sockets, and only the gateway has a port. */
export interface Shop {
  /** Base URL of the gateway. */
  readonly url: string
  fetchFrom(part: PartName): Fetch
  close(): Promise<void>
}

const inOneProcess: Settings = {
  port: 0,
  smtpPort: undefined,
  smtpUrl: undefined,
  paymentTimeoutMs: 1000,
  paymentRecheckMs: 1000,
  ledgerFile: undefined,
  mailFile: undefined,
  kafkaBrokers: undefined,
  codec: 'json',
  registryUrl: undefined,
  sessionTimeoutMs: 10_000,
  databaseUrl: undefined,
}

/** Time for each part to finish what is under way. Milliseconds. */
const closeMs = 5000

/** Starts every part. Resolves once all of them work. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const { parts, ground, logger, clock = systemClock, port = 0, aroundSender } = options
  const settings = { ...inOneProcess, ...options.settings }
  const hosts = new Map<PartName, PartHost>()
  const hostOf = (part: PartName): PartHost => {
    const host = hosts.get(part)
    if (host === undefined) throw new Error(`there is no part "${part}" in this shop`)
    return host
  }
  const fetchFrom = (part: PartName) => fetchInProcess(() => hostOf(part).http)

  for (const part of Object.values(parts)) {
    const host = new PartHost({
      part,
      logger,
      clock,
      settings,
      fetchFrom,
      openDatabase: () => ground.openDatabase(part.name),
      openBroker: () => ground.openBroker(part.name),
      openWire: () => ground.openWire?.(part.name) ?? jsonWire(),
      ...(aroundSender && { aroundSender }),
    })
    hosts.set(part.name, host)
  }
  let closing: Promise<void> | undefined
  const shop: Shop = {
    url: '',
    fetchFrom,
    close() {
      closing ??= closeAll([...hosts.values()])
      return closing
    },
  }
  try {
    await Promise.all([...hosts.values()].map((host) => host.start()))
    return { ...shop, url: await hostOf('gateway').listen(port) }
  } catch (error) {
    await shop.close()
    throw error
  }
}

/** The front door first and the outside world last, so that whoever is still working finds what it calls. */
async function closeAll(hosts: readonly PartHost[]): Promise<void> {
  for (const host of hosts.toReversed()) await host.close(closeMs)
}
