import { composeProject } from './compose-project.ts'
import {
  type ComposeInstance,
  type ComposeService,
  findComposeService,
  findDockerCompose,
  startComposeService,
} from './docker-compose.ts'
import { createDatabase, type PostgresDatabase } from './postgres-database.ts'
import { attachPostgres, type PostgresServer, type StartPostgresOptions, startPostgres } from './postgres-server.ts'
import { printProgress, seconds } from './progress.ts'

const SERVICE: ComposeService = { name: 'postgres', containerPort: 5432, portVariable: 'EVTKIT_POSTGRES_PORT' }

/** A PostgreSQL that someone else runs, named by `DATABASE_URL`; stopping it does nothing. */
export interface ExternalPostgres {
  readonly origin: 'external'
  readonly url: string
  createDatabase(name?: string): Promise<PostgresDatabase>
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** A PostgreSQL in a container that we started. */
export interface ComposePostgres {
  readonly origin: 'compose'
  readonly url: string
  readonly port: number
  createDatabase(name?: string): Promise<PostgresDatabase>
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** Any PostgreSQL that can be used; `origin` tells what more can be done with it. */
export type AnyPostgres = ExternalPostgres | ComposePostgres | PostgresServer

export interface ProvidePostgresOptions extends StartPostgresOptions {
  /** @default the `compose.yaml` of this project in the working folder or one above it */
  readonly composeFile?: string | undefined
}

/**
 * A PostgreSQL to use, from the first of these that is there: the one named by `DATABASE_URL`; a container, where a
 * Docker engine answers; a process of its own as by `startPostgres`.
 *
 * @throws LocalStackError as `startPostgres`, and `COMPOSE_FAILED`
 */
export async function providePostgres(options: ProvidePostgresOptions = {}): Promise<AnyPostgres> {
  const running = await locatePostgres(options)
  if (running) return running
  const progress = options.progress ?? printProgress
  const compose = await findDockerCompose(options.composeFile)
  if (!compose) return startPostgres(options)
  const startedAt = Date.now()
  progress(`Starting PostgreSQL with Docker Compose from ${compose.file} ...`)
  const project = composeProject(SERVICE, options.dataDir)
  const instance = await startComposeService(compose, project, SERVICE, options.port)
  progress(
    `PostgreSQL started in ${seconds(Date.now() - startedAt)} on 127.0.0.1:${instance.port} (project ${project}).`,
  )
  return composePostgres(instance, options.dataDir === undefined)
}

/** The PostgreSQL that `providePostgres` would find running; starts nothing. */
export async function locatePostgres(
  options: Pick<ProvidePostgresOptions, 'dataDir' | 'composeFile'> = {},
): Promise<AnyPostgres | undefined> {
  const url = process.env.DATABASE_URL
  if (url) {
    return {
      origin: 'external',
      url,
      createDatabase: (name) => createDatabase(url, name),
      stop: () => Promise.resolve(),
    }
  }
  if (options.dataDir === undefined) return undefined
  const server = await attachPostgres(options.dataDir)
  if (server) return server
  const compose = await findDockerCompose(options.composeFile)
  const instance = compose && (await findComposeService(compose, composeProject(SERVICE, options.dataDir), SERVICE))
  return instance && composePostgres(instance, false)
}

function composePostgres(instance: ComposeInstance, temporary: boolean): ComposePostgres {
  const url = `postgres://postgres@127.0.0.1:${instance.port}/postgres`
  return {
    origin: 'compose',
    url,
    port: instance.port,
    createDatabase: (name) => createDatabase(url, name),
    stop: ({ removeData = false } = {}) => instance.down({ removeData: temporary || removeData }),
  }
}
