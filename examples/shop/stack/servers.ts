import { attachKafka, attachPostgres, isPortFree, type Progress, startKafka, startPostgres } from '@evtkit/local-stack'
import type { ServerName } from './part.ts'
import type { StackFolder } from './stack-folder.ts'
import type { ServerState, StateFile } from './stack-state.ts'

export interface ServerWishes {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly progress: Progress
  /** Ports for servers that are started here. @default the ones of the last time, else free ones */
  readonly kafkaPort?: number | undefined
  readonly postgresPort?: number | undefined
}

/** Uses the Kafka that `KAFKA_BROKERS` names, else the one that runs in the folder of the stack, else starts it there. */
export async function provideKafka(folder: StackFolder, state: StateFile, wishes: ServerWishes): Promise<void> {
  const given = wishes.environment.KAFKA_BROKERS
  if (given) {
    wishes.progress(`Using the Kafka of KAFKA_BROKERS: ${given}.`)
    state.change({ kafka: { origin: 'given', running: true, address: given, restarts: 0 } })
    return
  }
  const previous = state.state.kafka
  const died = previous?.running === true && (await attachKafka(folder.kafka)) === undefined
  const kafka = await startKafka({
    dataDir: folder.kafka,
    detached: true,
    port: await portFor(wishes.kafkaPort, previous),
    progress: wishes.progress,
  })
  const restarts = (previous?.restarts ?? 0) + (died ? 1 : 0)
  const address = kafka.brokers.join(',')
  state.change({ kafka: { origin: 'process', running: true, address, port: kafka.port, restarts } })
}

/** Uses the PostgreSQL that `DATABASE_URL` names, else the one that runs in the folder of the stack, else starts it there. */
export async function providePostgres(folder: StackFolder, state: StateFile, wishes: ServerWishes): Promise<void> {
  const given = wishes.environment.DATABASE_URL
  if (given) {
    wishes.progress(`Using the PostgreSQL of DATABASE_URL: ${withoutPassword(given)}.`)
    state.change({ postgres: { origin: 'given', running: true, address: given, restarts: 0 } })
    return
  }
  const previous = state.state.postgres
  const died = previous?.running === true && (await attachPostgres(folder.postgres)) === undefined
  const postgres = await startPostgres({
    dataDir: folder.postgres,
    detached: true,
    port: await portFor(wishes.postgresPort, previous),
    progress: wishes.progress,
  })
  const restarts = (previous?.restarts ?? 0) + (died ? 1 : 0)
  const { url: address, port } = postgres
  state.change({ postgres: { origin: 'process', running: true, address, port, restarts } })
}

async function portFor(wished: number | undefined, previous: ServerState | undefined): Promise<number | undefined> {
  if (wished !== undefined) return wished
  return previous?.port !== undefined && (await isPortFree(previous.port)) ? previous.port : undefined
}

/** The server of this name that runs in the folder of the stack; undefined when none does. */
export function attachServer(folder: StackFolder, name: ServerName) {
  return name === 'kafka' ? attachKafka(folder.kafka) : attachPostgres(folder.postgres)
}

/** A URL as it may be shown to people and kept in logs. */
export function withoutPassword(address: string): string {
  const url = new URL(address)
  if (url.password !== '') url.password = '***'
  return url.href
}
