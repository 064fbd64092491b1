import { composeProject } from './compose-project.ts'
import {
  type ComposeInstance,
  type ComposeService,
  findComposeService,
  findDockerCompose,
  startComposeService,
} from './docker-compose.ts'
import { attachKafka, type KafkaServer, type StartKafkaOptions, startKafka } from './kafka-server.ts'
import { printProgress, seconds } from './progress.ts'

const SERVICE: ComposeService = { name: 'kafka', containerPort: 29092, portVariable: 'EVTKIT_KAFKA_PORT' }

/** A Kafka that someone else runs, named by `KAFKA_BROKERS`; stopping it does nothing. */
export interface ExternalKafka {
  readonly origin: 'external'
  readonly brokers: readonly string[]
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** A Kafka in a container that we started. */
export interface ComposeKafka {
  readonly origin: 'compose'
  readonly brokers: readonly string[]
  readonly port: number
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** Any Kafka that can be used; `origin` tells what more can be done with it. */
export type AnyKafka = ExternalKafka | ComposeKafka | KafkaServer

export interface ProvideKafkaOptions extends Omit<StartKafkaOptions, 'proxy'> {
  /** @default the `compose.yaml` of this project in the working folder or one above it */
  readonly composeFile?: string | undefined
}

/**
 * A Kafka to use, from the first of these that is there: the one named by `KAFKA_BROKERS`; a container, where a Docker
 * engine answers; a process of its own as by `startKafka`.
 *
 * @throws LocalStackError as `startKafka`, and `COMPOSE_FAILED`
 */
export async function provideKafka(options: ProvideKafkaOptions = {}): Promise<AnyKafka> {
  const running = await locateKafka(options)
  if (running) return running
  const progress = options.progress ?? printProgress
  const compose = await findDockerCompose(options.composeFile)
  if (!compose) return startKafka(options)
  const startedAt = Date.now()
  progress(`Starting Kafka with Docker Compose from ${compose.file} ...`)
  const project = composeProject(SERVICE, options.dataDir)
  const instance = await startComposeService(compose, project, SERVICE, options.port)
  progress(`Kafka started in ${seconds(Date.now() - startedAt)} on 127.0.0.1:${instance.port} (project ${project}).`)
  return composeKafka(instance, options.dataDir === undefined)
}

/** The Kafka that `provideKafka` would find running; starts nothing. */
export async function locateKafka(
  options: Pick<ProvideKafkaOptions, 'dataDir' | 'composeFile'> = {},
): Promise<AnyKafka | undefined> {
  const brokers = splitBrokers(process.env.KAFKA_BROKERS)
  if (brokers.length > 0) return { origin: 'external', brokers, stop: () => Promise.resolve() }
  if (options.dataDir === undefined) return undefined
  const server = await attachKafka(options.dataDir)
  if (server) return server
  const compose = await findDockerCompose(options.composeFile)
  const instance = compose && (await findComposeService(compose, composeProject(SERVICE, options.dataDir), SERVICE))
  return instance && composeKafka(instance, false)
}

function splitBrokers(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '')
}

function composeKafka(instance: ComposeInstance, temporary: boolean): ComposeKafka {
  return {
    origin: 'compose',
    brokers: [`127.0.0.1:${instance.port}`],
    port: instance.port,
    stop: ({ removeData = false } = {}) => instance.down({ removeData: temporary || removeData }),
  }
}
