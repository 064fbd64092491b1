import { type ApicurioServer, attachApicurio, type StartApicurioOptions, startApicurio } from './apicurio-server.ts'
import { composeProject } from './compose-project.ts'
import {
  type ComposeInstance,
  type ComposeService,
  findComposeService,
  findDockerCompose,
  startComposeService,
} from './docker-compose.ts'
import { printProgress, seconds } from './progress.ts'

const SERVICE: ComposeService = { name: 'apicurio', containerPort: 8080, portVariable: 'EVTKIT_REGISTRY_PORT' }

/** A schema registry that someone else runs, named by `SCHEMA_REGISTRY_URL`; stopping it does nothing. */
export interface ExternalRegistry {
  readonly origin: 'external'
  /** May hold credentials. */
  readonly url: string
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** A schema registry in a container that we started. */
export interface ComposeRegistry {
  readonly origin: 'compose'
  readonly url: string
  readonly port: number
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

/** Any schema registry that can be used; `origin` tells what more can be done with it. */
export type AnyRegistry = ExternalRegistry | ComposeRegistry | ApicurioServer

export interface ProvideRegistryOptions extends StartApicurioOptions {
  /** @default the `compose.yaml` of this project in the working folder or one above it */
  readonly composeFile?: string | undefined
}

/**
 * A schema registry to use, from the first of these that is there: the one named by `SCHEMA_REGISTRY_URL`; a container, where a
 * Docker engine answers; a process of its own as by `startApicurio`.
 *
 * @throws LocalStackError as `startApicurio`, and `COMPOSE_FAILED`
 */
export async function provideRegistry(options: ProvideRegistryOptions = {}): Promise<AnyRegistry> {
  const running = await locateRegistry(options)
  if (running) return running
  const progress = options.progress ?? printProgress
  const compose = await findDockerCompose(options.composeFile)
  if (!compose) return startApicurio(options)
  const startedAt = Date.now()
  progress(`Starting Apicurio Registry with Docker Compose from ${compose.file} ...`)
  const project = composeProject(SERVICE, options.dataDir)
  const instance = await startComposeService(compose, project, SERVICE, options.port)
  progress(
    `Apicurio Registry started in ${seconds(Date.now() - startedAt)} on 127.0.0.1:${instance.port} (project ${project}).`,
  )
  return composeRegistry(instance, options.dataDir === undefined)
}

/** The schema registry that `provideRegistry` would find running; starts nothing. */
export async function locateRegistry(
  options: Pick<ProvideRegistryOptions, 'dataDir' | 'composeFile'> = {},
): Promise<AnyRegistry | undefined> {
  const url = process.env.SCHEMA_REGISTRY_URL
  if (url) return { origin: 'external', url, stop: () => Promise.resolve() }
  if (options.dataDir === undefined) return undefined
  const server = await attachApicurio(options.dataDir)
  if (server) return server
  const compose = await findDockerCompose(options.composeFile)
  const instance = compose && (await findComposeService(compose, composeProject(SERVICE, options.dataDir), SERVICE))
  return instance && composeRegistry(instance, false)
}

function composeRegistry(instance: ComposeInstance, temporary: boolean): ComposeRegistry {
  return {
    origin: 'compose',
    url: `http://127.0.0.1:${instance.port}/apis/ccompat/v7`,
    port: instance.port,
    stop: ({ removeData = false } = {}) => instance.down({ removeData: temporary || removeData }),
  }
}
