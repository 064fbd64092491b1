import { join } from 'node:path'
import { Option } from 'commander'
import { usageError } from './command-error.ts'
import type { Settings } from './settings.ts'

export const devServers = ['kafka', 'postgres', 'registry'] as const
export type DevServerName = (typeof devServers)[number]

/** A server of the local stack, as `evt dev` speaks of it. */
export interface DevServer {
  readonly name: DevServerName
  /** `host:port`, or a URL. */
  readonly address: string
  readonly origin: 'external' | 'compose' | 'process'
  readonly pid: number | undefined
  /** Whether it ran before anybody asked for it. */
  readonly ranAlready: boolean
  stop(options: { readonly removeData: boolean }): Promise<void>
}

/** The variable by which services and tools are told where a server is. */
export const variableOf: Readonly<Record<DevServerName, string>> = {
  kafka: 'KAFKA_BROKERS',
  postgres: 'DATABASE_URL',
  registry: 'SCHEMA_REGISTRY_URL',
}

export const onlyOption = (): Option =>
  new Option('--only <servers>', `only these of ${devServers.join(', ')}, separated by commas`)

export const dataOption = (): Option =>
  new Option('--data <folder>', 'folder of their data (default: .evtkit beside the config file)')

/** @throws CommandError for a name that is none */
export function chosenServers(only: unknown): readonly DevServerName[] {
  if (typeof only !== 'string') return devServers
  const names = only.split(',').map((name) => name.trim())
  for (const name of names)
    if (!devServers.some((server) => server === name))
      throw usageError(`--only takes ${devServers.join(', ')}, got ${JSON.stringify(name)}`)
  return devServers.filter((server) => names.includes(server))
}

/** Each server has a folder of its own. */
export function dataFolder(settings: Settings, data: unknown, name: DevServerName): string {
  return join(typeof data === 'string' ? data : join(settings.root, '.evtkit'), name)
}

/**
 * The server of this name that runs already. Ours comes before what the environment names: in a shell that was told of the
 * addresses they are the same, and only ours can be ended.
 */
export async function locateServer(name: DevServerName, dataDir: string): Promise<DevServer | undefined> {
  const { locateKafka, locatePostgres, locateRegistry } = await import('@evtkit/local-stack')
  const ours = await ownServer(name, dataDir)
  if (ours !== undefined) return ours
  if (name === 'kafka') return serverOf(name, await locateKafka({ dataDir }))
  return serverOf(name, await (name === 'postgres' ? locatePostgres : locateRegistry)({ dataDir }))
}

async function ownServer(name: DevServerName, dataDir: string): Promise<DevServer | undefined> {
  const { attachApicurio, attachKafka, attachPostgres } = await import('@evtkit/local-stack')
  if (name === 'kafka') return serverOf(name, await attachKafka(dataDir))
  return serverOf(name, await (name === 'postgres' ? attachPostgres : attachApicurio)(dataDir))
}

/** Starts it when it does not run yet; it outlives this process. */
export async function provideServer(
  name: DevServerName,
  options: { readonly dataDir: string; readonly port: number | undefined; readonly progress: (text: string) => void },
): Promise<DevServer> {
  const { provideKafka, providePostgres, provideRegistry } = await import('@evtkit/local-stack')
  const running = await locateServer(name, options.dataDir)
  if (running !== undefined) return { ...running, ranAlready: true }
  const detached = { ...options, detached: true }
  const provided =
    name === 'kafka'
      ? serverOf(name, await provideKafka(detached))
      : serverOf(name, await (name === 'postgres' ? providePostgres : provideRegistry)(detached))
  if (provided === undefined) throw new Error(`${name} was not started`)
  return provided
}

type AnyServer = {
  readonly origin: DevServer['origin']
  readonly brokers?: readonly string[]
  readonly url?: string
  readonly pid?: number
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

function serverOf(name: DevServerName, server: AnyServer | undefined): DevServer | undefined {
  if (server === undefined) return undefined
  return {
    name,
    address: server.url ?? (server.brokers ?? []).join(','),
    origin: server.origin,
    pid: server.pid,
    ranAlready: false,
    stop: (options) => server.stop(options),
  }
}
