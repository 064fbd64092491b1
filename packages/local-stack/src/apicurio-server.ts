import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { APICURIO_VERSION, fetchApicurio } from './apicurio-app.ts'
import { ChildServer, type ServerCommand } from './child-server.ts'
import { LocalStackError } from './errors.ts'
import { findFreePort, requireFreePort } from './free-port.ts'
import { findJava } from './java-home.ts'
import { type Progress, printProgress, seconds } from './progress.ts'
import { attachServer, removeServerState, writeServerState } from './server-state.ts'

const STATE_FILE = 'apicurio.json'
const MINIMUM_JAVA = 21
const POLL_MS = 50

/** Where Apicurio speaks the API of Confluent's registry. */
const API_PATH = '/apis/ccompat/v7'

export interface StartApicurioOptions {
  /**
   * Holds the schemas, the log file and the state file. Kept when the server stops, and served again at the next start.
   * @default a temporary folder that is removed when the server stops
   */
  readonly dataDir?: string | undefined
  /** The port for clients. @default a free one */
  readonly port?: number | undefined
  /** The port of Apicurio's own health and metrics, which clients do not use. @default a free one */
  readonly managementPort?: number | undefined
  /** Whether Apicurio outlives this process; it is then found again by `attachApicurio`. Needs `dataDir`. @default false */
  readonly detached?: boolean | undefined
  /** The Java heap. @default 256 */
  readonly heapMegabytes?: number | undefined
  /** Apicurio's own properties by their names, such as `apicurio.auth.anonymous-read-access.enabled`; they win over ours. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Where the program is kept. @default EVTKIT_CACHE_DIR, else `~/.cache/evtkit` */
  readonly cacheDir?: string | undefined
  /** @default 60000 */
  readonly startTimeoutMs?: number | undefined
  readonly progress?: Progress | undefined
}

/** An Apicurio Registry that is a process of this computer, ours to stop and kill. */
export interface ApicurioServer {
  readonly origin: 'process'
  /** The address of Confluent's API, as clients want it. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly startedAt: Date
  readonly dataDir: string
  readonly logFile: string
  isAlive(): Promise<boolean>
  /** SIGKILL resolves when the process is gone, other signals at once. SIGSTOP freezes it, SIGCONT lets it go on. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same ports and data, after a stop in good order if it still runs. */
  restart(): Promise<void>
  /** Stops it in good order. Removes a temporary folder, and a named one when `removeData` is set. */
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

interface ApicurioDetails {
  readonly dataDir: string
  readonly port: number
}

/**
 * Starts Apicurio Registry as a process of its own on the loopback interface, and resolves when it serves. With a `dataDir` whose
 * Apicurio still runs, that one is returned.
 *
 * @throws LocalStackError `JAVA_MISSING`, `MAVEN_MISSING`, `DOWNLOAD_FAILED`, `PORT_UNAVAILABLE`, `SERVER_FAILED`
 */
export async function startApicurio(options: StartApicurioOptions = {}): Promise<ApicurioServer> {
  const progress = options.progress ?? printProgress
  if (options.dataDir !== undefined) {
    const running = await attachApicurio(options.dataDir)
    if (running) {
      progress(`Apicurio Registry already runs on ${running.url} (process ${running.pid}).`)
      return running
    }
  }
  const { java } = await findJava(MINIMUM_JAVA, process.env, {
    name: 'Apicurio Registry',
    instead: 'set SCHEMA_REGISTRY_URL to a running schema registry',
  })
  const app = await fetchApicurio({ cacheDir: options.cacheDir, progress })
  const temporary = options.dataDir === undefined
  const dataDir = resolve(options.dataDir ?? (await mkdtemp(join(tmpdir(), 'evtkit-apicurio-'))))
  try {
    const port = options.port ? await requireFreePort(options.port, 'Apicurio Registry') : await findFreePort()
    const managementPort = options.managementPort
      ? await requireFreePort(options.managementPort, "Apicurio Registry's management")
      : await findFreePort()
    const startedAt = Date.now()
    progress(`Starting Apicurio Registry ${APICURIO_VERSION} in ${dataDir} ...`)
    await mkdir(dataDir, { recursive: true })
    const details: ApicurioDetails = { dataDir, port }
    const command = apicurioCommand({ ...details, java, app, managementPort }, options)
    const server = await ChildServer.start(command, {
      detached: options.detached ?? false,
      throwawayFolder: temporary ? dataDir : undefined,
    })
    await untilServing(server, urlOf(port))
    await writeServerState(join(dataDir, STATE_FILE), server, details)
    progress(
      `Apicurio Registry started in ${seconds(Date.now() - startedAt)} on ${urlOf(port)} (process ${server.pid}).`,
    )
    return new LocalApicurio(server, details, temporary)
  } catch (error) {
    if (temporary) await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** The Apicurio that still runs on this data folder, started by this or another process; undefined when none does. */
export async function attachApicurio(dataDir: string): Promise<ApicurioServer | undefined> {
  const found = await attachServer<ApicurioDetails>(join(resolve(dataDir), STATE_FILE))
  return found && new LocalApicurio(found.server, found.details, false)
}

class LocalApicurio implements ApicurioServer {
  readonly origin = 'process'
  readonly #server: ChildServer
  readonly #details: ApicurioDetails
  readonly #temporary: boolean

  constructor(server: ChildServer, details: ApicurioDetails, temporary: boolean) {
    this.#server = server
    this.#details = details
    this.#temporary = temporary
  }

  get url(): string {
    return urlOf(this.port)
  }

  get port(): number {
    return this.#details.port
  }

  get pid(): number {
    return this.#server.pid
  }

  get startedAt(): Date {
    return this.#server.startedAt
  }

  get dataDir(): string {
    return this.#details.dataDir
  }

  get logFile(): string {
    return this.#server.command.logFile
  }

  isAlive(): Promise<boolean> {
    return this.#server.isAlive()
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#server.kill(signal)
  }

  async restart(): Promise<void> {
    await this.#server.restart()
    await untilServing(this.#server, this.url)
    await writeServerState(join(this.dataDir, STATE_FILE), this.#server, this.#details)
  }

  async stop(options: { readonly removeData?: boolean } = {}): Promise<void> {
    await this.#server.stop()
    await removeServerState(join(this.dataDir, STATE_FILE))
    if (this.#temporary || options.removeData) await rm(this.dataDir, { recursive: true, force: true })
  }
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}${API_PATH}`
}

interface ApicurioPlace extends ApicurioDetails {
  readonly java: string
  readonly app: string
  readonly managementPort: number
}

function apicurioCommand(place: ApicurioPlace, options: StartApicurioOptions): ServerCommand {
  const settings: Record<string, string> = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': String(place.port),
    // By default this one listens on every interface.
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': String(place.managementPort),
    'apicurio.storage.kind': 'sql',
    'apicurio.storage.sql.kind': 'h2',
    // Without the delay of half a second a killed server forgets ids that records were written with.
    'apicurio.datasource.url': `jdbc:h2:file:${join(place.dataDir, 'schemas')};WRITE_DELAY=0`,
    // As Confluent's registry does; Apicurio's own default is none.
    'apicurio.rules.global.compatibility': 'BACKWARD',
    ...options.settings,
  }
  return {
    name: 'Apicurio Registry',
    command: place.java,
    args: [
      `-Xmx${options.heapMegabytes ?? 256}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      '-jar',
      join(place.app, 'quarkus-run.jar'),
    ],
    logFile: join(place.dataDir, 'apicurio.log'),
    readyPattern: 'started in .* Listening on: http',
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
  }
}

/** It listens a moment before it answers. */
async function untilServing(server: ChildServer, url: string): Promise<void> {
  const deadline = Date.now() + server.command.startTimeoutMs
  for (;;) {
    const answer = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (Date.now() > deadline || !(await server.isAlive())) {
      await server.stop()
      throw new LocalStackError(
        'SERVER_FAILED',
        `Apicurio Registry started, but did not answer at ${url}/subjects (${answer?.status ?? 'no answer'}). Its log is ${server.command.logFile}.`,
      )
    }
    await sleep(POLL_MS)
  }
}
