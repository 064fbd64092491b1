import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { ChildServer, type ServerCommand } from './child-server.ts'
import { LocalStackError } from './errors.ts'
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts'
import { findFreePort, requireFreePort } from './free-port.ts'
import { findJava } from './java-home.ts'
import { fetchKafkaJars, KAFKA_VERSION } from './kafka-jars.ts'
import { dumpTopic } from './kafka-log-dump.ts'
import type { DumpedRecord } from './kafka-log-dump-parser.ts'
import { type KafkaPorts, kafkaSettings } from './kafka-settings.ts'
import { type Progress, printProgress, seconds } from './progress.ts'
import { attachServer, removeServerState, writeServerState } from './server-state.ts'

const run = promisify(execFile)

const STATE_FILE = 'kafka.json'
const MINIMUM_JAVA = 17

export interface StartKafkaOptions {
  /**
   * Holds the records, the log file and the state file. Kept when the server stops, and served again at the next start.
   * @default a temporary folder that is removed when the server stops
   */
  readonly dataDir?: string | undefined
  /** The port for clients. @default a free one */
  readonly port?: number | undefined
  /** The port of the controller, which clients do not use. @default a free one */
  readonly controllerPort?: number | undefined
  /** Whether Kafka outlives this process; it is then found again by `attachKafka`. Needs `dataDir`. @default false */
  readonly detached?: boolean | undefined
  /** Whether to put a fault proxy in front of a second listener. It lives in this process. @default false */
  readonly proxy?: boolean | undefined
  /** The Java heap. @default 512 */
  readonly heapMegabytes?: number | undefined
  /** Kafka's own settings, by their names in `server.properties`; they win over ours. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Where the jar files are kept. @default EVTKIT_CACHE_DIR, else `~/.cache/evtkit` */
  readonly cacheDir?: string | undefined
  /** @default 60000 */
  readonly startTimeoutMs?: number | undefined
  readonly progress?: Progress | undefined
}

/** A Kafka that is a process of this computer, ours to stop, kill and look into. */
export interface KafkaServer {
  readonly origin: 'process'
  /** `host:port` of the plain listener. */
  readonly brokers: readonly string[]
  readonly port: number
  readonly pid: number
  readonly startedAt: Date
  readonly dataDir: string
  readonly logFile: string
  /** The proxy in front of the second listener, when it was asked for. */
  readonly proxy: FaultProxy | undefined
  /** Bootstrap addresses that lead through the proxy; empty without one. */
  readonly proxiedBrokers: readonly string[]
  isAlive(): Promise<boolean>
  /** Every record of a topic as the broker's own log files hold it, by partition and offset. */
  dump(topic: string): Promise<DumpedRecord[]>
  /** SIGKILL resolves when the process is gone, other signals at once. SIGSTOP freezes it, SIGCONT lets it go on. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same ports and data, after a stop in good order if it still runs. */
  restart(): Promise<void>
  /** Stops it in good order. Removes a temporary folder, and a named one when `removeData` is set. */
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

interface KafkaDetails {
  readonly dataDir: string
  readonly ports: KafkaPorts
  readonly java: string
  readonly libs: string
}

/**
 * Starts Apache Kafka as a process of its own, one node in KRaft mode on the loopback interface, and resolves when it
 * serves. With a `dataDir` whose Kafka still runs, that one is returned.
 *
 * @throws LocalStackError `JAVA_MISSING`, `MAVEN_MISSING`, `KAFKA_DOWNLOAD_FAILED`, `PORT_UNAVAILABLE`, `SERVER_FAILED`
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<KafkaServer> {
  const progress = options.progress ?? printProgress
  if (options.dataDir !== undefined) {
    const running = await attachKafka(options.dataDir)
    if (running) {
      progress(`Kafka already runs on ${running.brokers.join(',')} (process ${running.pid}).`)
      return running
    }
  }
  const { java } = await findJava(MINIMUM_JAVA)
  const libs = await fetchKafkaJars({ cacheDir: options.cacheDir, progress })
  const temporary = options.dataDir === undefined
  const dataDir = resolve(options.dataDir ?? (await mkdtemp(join(tmpdir(), 'evtkit-kafka-'))))
  const proxiedPort = options.proxy ? await findFreePort() : undefined
  const proxy =
    proxiedPort === undefined ? undefined : await createFaultProxy({ target: { host: '127.0.0.1', port: proxiedPort } })
  try {
    const ports: KafkaPorts = {
      broker: options.port ? await requireFreePort(options.port, 'Kafka') : await findFreePort(),
      controller: options.controllerPort
        ? await requireFreePort(options.controllerPort, "Kafka's controller")
        : await findFreePort(),
      proxied: proxy && proxiedPort ? { listen: proxiedPort, advertised: proxy.port } : undefined,
    }
    const details: KafkaDetails = { dataDir, ports, java, libs }
    const startedAt = Date.now()
    progress(`Starting Kafka ${KAFKA_VERSION} in ${dataDir} ...`)
    await mkdir(dataDir, { recursive: true })
    const settingsFile = join(dataDir, 'server.properties')
    await writeFile(settingsFile, kafkaSettings(recordsFolder(dataDir), ports, options.settings))
    await formatOnce(details, settingsFile)
    const server = await ChildServer.start(kafkaCommand(details, settingsFile, options), {
      detached: options.detached ?? false,
      throwawayFolder: temporary ? dataDir : undefined,
    })
    await writeServerState(join(dataDir, STATE_FILE), server, details)
    progress(
      `Kafka started in ${seconds(Date.now() - startedAt)} on 127.0.0.1:${ports.broker} (process ${server.pid}).`,
    )
    return new LocalKafka(server, details, proxy, temporary)
  } catch (error) {
    await proxy?.close()
    if (temporary) await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** The Kafka that still runs on this data folder, started by this or another process; undefined when none does. */
export async function attachKafka(dataDir: string): Promise<KafkaServer | undefined> {
  const found = await attachServer<KafkaDetails>(join(resolve(dataDir), STATE_FILE))
  return found && new LocalKafka(found.server, found.details, undefined, false)
}

class LocalKafka implements KafkaServer {
  readonly origin = 'process'
  readonly proxy: FaultProxy | undefined
  readonly #server: ChildServer
  readonly #details: KafkaDetails
  readonly #temporary: boolean

  constructor(server: ChildServer, details: KafkaDetails, proxy: FaultProxy | undefined, temporary: boolean) {
    this.#server = server
    this.#details = details
    this.proxy = proxy
    this.#temporary = temporary
  }

  get brokers(): readonly string[] {
    return [`127.0.0.1:${this.port}`]
  }

  get proxiedBrokers(): readonly string[] {
    return this.proxy ? [`127.0.0.1:${this.proxy.port}`] : []
  }

  get port(): number {
    return this.#details.ports.broker
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

  dump(topic: string): Promise<DumpedRecord[]> {
    return dumpTopic(topic, recordsFolder(this.dataDir), this.#details)
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#server.kill(signal)
  }

  async restart(): Promise<void> {
    await this.#server.restart()
    await writeServerState(join(this.dataDir, STATE_FILE), this.#server, this.#details)
  }

  async stop(options: { readonly removeData?: boolean } = {}): Promise<void> {
    await this.proxy?.close()
    await this.#server.stop()
    await removeServerState(join(this.dataDir, STATE_FILE))
    if (this.#temporary || options.removeData) await rm(this.dataDir, { recursive: true, force: true })
  }
}

function recordsFolder(dataDir: string): string {
  return join(dataDir, 'records')
}

function kafkaCommand(details: KafkaDetails, settingsFile: string, options: StartKafkaOptions): ServerCommand {
  return {
    name: 'Kafka',
    command: details.java,
    args: [
      `-Xmx${options.heapMegabytes ?? 512}m`,
      '-Djava.awt.headless=true',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS',
      '-cp',
      join(details.libs, '*'),
      'kafka.Kafka',
      settingsFile,
    ],
    logFile: join(details.dataDir, 'kafka.log'),
    readyPattern: 'Kafka Server started',
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 20_000,
  }
}

/** Gives an empty data folder its cluster id; a folder that has one is left as it is. */
async function formatOnce(details: KafkaDetails, settingsFile: string): Promise<void> {
  const records = recordsFolder(details.dataDir)
  if (await exists(join(records, 'meta.properties'))) return
  await mkdir(records, { recursive: true })
  // An id that starts with a dash would be read as an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A')
  const args = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', join(details.libs, '*')]
  try {
    await run(details.java, [...args, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settingsFile])
  } catch (cause) {
    throw new LocalStackError('SERVER_FAILED', `Kafka could not prepare its data folder ${records}.`, { cause })
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
