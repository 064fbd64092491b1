import { join } from 'node:path'
import {
  type AnyKafka,
  type AnyPostgres,
  type AnyRegistry,
  attachApicurio,
  attachKafka,
  attachPostgres,
  isPortFree,
  locateKafka,
  locatePostgres,
  locateRegistry,
  type Progress,
  provideKafka,
  providePostgres,
  provideRegistry,
} from '@evtkit/local-stack'
import type { ServerName } from './part.ts'
import { checkout, type StackFolder } from './stack-folder.ts'
import type { ServerState, StateFile } from './stack-state.ts'

const composeFile = join(checkout, 'compose.yaml')

export type AnyServer = AnyKafka | AnyPostgres | AnyRegistry

const provide = { kafka: provideKafka, postgres: providePostgres, registry: provideRegistry }

export interface ServerWishes {
  readonly progress: Progress
  /** The port, when the server is started here. @default the one of the last time, else a free one */
  readonly port?: number | undefined
}

/**
 * Makes sure that a server is there: the one that the environment names, else the one that runs in the folder of the
 * stack, else a new one in that folder, which outlives this process.
 */
export async function provideServer(
  folder: StackFolder,
  state: StateFile,
  name: ServerName,
  wishes: ServerWishes,
): Promise<void> {
  const previous = state.state[name]
  const died = previous?.running === true && (await locateServer(folder, name)) === undefined
  const options = {
    dataDir: folder[name],
    detached: true,
    composeFile,
    port: await portFor(wishes.port, previous),
    progress: wishes.progress,
  }
  const server = await provide[name](options)
  const address = addressOf(server)
  if (server.origin === 'external')
    wishes.progress(`Using the ${name} that the environment names: ${forPeople(address)}.`)
  state.change({
    [name]: {
      origin: server.origin,
      running: true,
      address,
      ...(server.origin !== 'external' && { port: server.port }),
      restarts: (previous?.restarts ?? 0) + (died ? 1 : 0),
    },
  })
}

/** The server of this name that the stack uses now, started here or named by the environment; undefined when there is none. */
export async function locateServer(folder: StackFolder, name: ServerName): Promise<AnyServer | undefined> {
  // The process of the stack first: the environment may name another server than it did when that was started.
  const options = { dataDir: folder[name], composeFile }
  switch (name) {
    case 'kafka':
      return (await attachKafka(folder.kafka)) ?? (await locateKafka(options))
    case 'postgres':
      return (await attachPostgres(folder.postgres)) ?? (await locatePostgres(options))
    case 'registry':
      return (await attachApicurio(folder.registry)) ?? (await locateRegistry(options))
  }
}

function addressOf(server: AnyServer): string {
  return 'brokers' in server ? server.brokers.join(',') : server.url
}

async function portFor(wished: number | undefined, previous: ServerState | undefined): Promise<number | undefined> {
  if (wished !== undefined) return wished
  return previous?.port !== undefined && (await isPortFree(previous.port)) ? previous.port : undefined
}

/** An address as it may be shown to people and kept in logs. */
export function forPeople(address: string): string {
  if (!URL.canParse(address)) return address
  const url = new URL(address)
  if (url.password !== '') url.password = '***'
  return url.href
}
