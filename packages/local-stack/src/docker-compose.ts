import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'
import { findFreePort, requireFreePort } from './free-port.ts'
import { lastLines } from './log-tail.ts'

const run = promisify(execFile)

const FILE_NAME = 'compose.yaml'
const PROBE_TIMEOUT_MS = 5000

/** A service of the compose file and how its port is named and found. */
export interface ComposeService {
  readonly name: string
  /** The port inside the container. */
  readonly containerPort: number
  /** The environment variable of the compose file that holds the port on this computer. */
  readonly portVariable: string
}

/** Where the services of this project can be run with Docker Compose. */
export interface DockerCompose {
  readonly file: string
}

/** One service that runs in a container. */
export interface ComposeInstance {
  readonly port: number
  /** Removes the container, and its data if so asked. */
  down(options: { readonly removeData: boolean }): Promise<void>
}

/**
 * Docker Compose with the compose file of this project; undefined when no Docker engine answers, when Docker has no Compose, or when
 * neither the working folder nor one above it has the file.
 */
export async function findDockerCompose(file?: string): Promise<DockerCompose | undefined> {
  const composeFile = file ?? (await findComposeFile(process.cwd()))
  if (composeFile === undefined) return undefined
  try {
    const options = { timeout: PROBE_TIMEOUT_MS }
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], options)
    await run('docker', ['compose', 'version'], options)
    return { file: composeFile }
  } catch {
    return undefined
  }
}

/** The service of this project name that already runs; undefined when it does not. */
export async function findComposeService(
  compose: DockerCompose,
  project: string,
  service: ComposeService,
): Promise<ComposeInstance | undefined> {
  try {
    const { stdout } = await docker(compose, project, ['port', service.name, String(service.containerPort)])
    const port = Number(stdout.trim().split(':').pop())
    return port > 0 ? instance(compose, project, port) : undefined
  } catch {
    return undefined
  }
}

/**
 * Starts one service under a project name and resolves when its health check passes.
 *
 * @throws LocalStackError `COMPOSE_FAILED` with what Docker said.
 */
export async function startComposeService(
  compose: DockerCompose,
  project: string,
  service: ComposeService,
  namedPort?: number,
): Promise<ComposeInstance> {
  const port = namedPort === undefined ? await findFreePort() : await requireFreePort(namedPort, service.name)
  try {
    await docker(compose, project, ['up', '--detach', '--wait', service.name], { [service.portVariable]: String(port) })
  } catch (cause) {
    await docker(compose, project, ['down', '--volumes']).catch(() => undefined)
    const said = cause instanceof Error ? lastLines(cause.message, 15) : String(cause)
    throw new LocalStackError(
      'COMPOSE_FAILED',
      `Docker Compose could not start ${service.name} from ${compose.file}. It said:\n${said}`,
      { cause },
    )
  }
  return instance(compose, project, port)
}

function instance(compose: DockerCompose, project: string, port: number): ComposeInstance {
  return {
    port,
    down: async ({ removeData }) => {
      await docker(compose, project, ['down', ...(removeData ? ['--volumes'] : [])])
    },
  }
}

function docker(
  compose: DockerCompose,
  project: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string }> {
  return run('docker', ['compose', '--file', compose.file, '--project-name', project, ...args], {
    env: { ...process.env, ...env },
  })
}

async function findComposeFile(from: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, FILE_NAME)
    const content = await readFile(file, 'utf8').catch(() => '')
    // Another project's compose file has other services under the same names.
    if (/^name: evtkit$/m.test(content)) return file
    if (folder === dirname(folder)) return undefined
  }
}
