import { execFile } from 'node:child_process'
import { access, chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { ChildServer, type ServerCommand } from './child-server.ts'
import { LocalStackError } from './errors.ts'
import { findFreePort, requireFreePort } from './free-port.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { createDatabase, type PostgresDatabase } from './postgres-database.ts'
import { clusterFolder, postgresUser, type SystemUser } from './postgres-user.ts'
import { type Progress, printProgress, seconds } from './progress.ts'
import { attachServer, removeServerState, writeServerState } from './server-state.ts'

const run = promisify(execFile)

const STATE_FILE = 'postgres.json'

export interface StartPostgresOptions {
  /**
   * Holds the databases, the log file and the state file. Kept when the server stops, and served again at the next start.
   * @default a temporary folder that is removed when the server stops
   */
  readonly dataDir?: string | undefined
  /** @default a free one */
  readonly port?: number | undefined
  /** Whether PostgreSQL outlives this process; it is then found again by `attachPostgres`. Needs `dataDir`. @default false */
  readonly detached?: boolean | undefined
  /** Whether a commit survives a power cut. Surviving SIGKILL of the server does not need it. @default true */
  readonly durable?: boolean | undefined
  /** @default 200 */
  readonly maxConnections?: number | undefined
  /** PostgreSQL's own settings by name; they win over ours. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** @default 60000 */
  readonly startTimeoutMs?: number | undefined
  readonly progress?: Progress | undefined
}

/** A PostgreSQL that is a process of this computer, ours to stop and kill. */
export interface PostgresServer {
  readonly origin: 'process'
  /** Leads the superuser `postgres` to the database `postgres`; without a password, on the loopback interface only. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly startedAt: Date
  readonly dataDir: string
  readonly logFile: string
  isAlive(): Promise<boolean>
  /** Makes an empty database. @default a name that no other database has */
  createDatabase(name?: string): Promise<PostgresDatabase>
  /** SIGKILL resolves when the server process is gone, other signals at once. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port and data, after a stop in good order if it still runs. */
  restart(): Promise<void>
  /** Stops it in good order, with open connections cut. Removes a temporary folder, and a named one when `removeData` is set. */
  stop(options?: { readonly removeData?: boolean }): Promise<void>
}

interface PostgresDetails {
  readonly dataDir: string
  /** Differs from a folder in `dataDir` only when the server's user cannot reach that one. */
  readonly cluster: string
  readonly port: number
}

/**
 * Starts PostgreSQL as a process of its own on the loopback interface and resolves when it serves. Run by root, it
 * becomes the user `postgres`. With a `dataDir` whose PostgreSQL still runs, that one is returned.
 *
 * @throws LocalStackError `POSTGRES_MISSING`, `POSTGRES_USER_MISSING`, `PORT_UNAVAILABLE`, `SERVER_FAILED`
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  const progress = options.progress ?? printProgress
  if (options.dataDir !== undefined) {
    const running = await attachPostgres(options.dataDir)
    if (running) {
      progress(`PostgreSQL already runs on 127.0.0.1:${running.port} (process ${running.pid}).`)
      return running
    }
  }
  const { folder: binaries } = await findPostgresBinaries()
  const user = await postgresUser()
  const temporary = options.dataDir === undefined
  const dataDir = resolve(options.dataDir ?? (await mkdtemp(join(tmpdir(), 'evtkit-postgres-'))))
  try {
    const port = options.port ? await requireFreePort(options.port, 'PostgreSQL') : await findFreePort()
    const startedAt = Date.now()
    progress(`Starting PostgreSQL from ${binaries} in ${dataDir} ...`)
    await mkdir(dataDir, { recursive: true })
    // A temporary folder is closed to others; the server's user must get through it to its own.
    if (temporary && user) await chmod(dataDir, 0o755)
    const details: PostgresDetails = { dataDir, cluster: await clusterFolder(dataDir, user), port }
    await initializeOnce(binaries, details.cluster, user)
    const server = await ChildServer.start(postgresCommand(binaries, details, user, options), {
      detached: options.detached ?? false,
      throwawayFolder: temporary ? dataDir : undefined,
    })
    await writeServerState(join(dataDir, STATE_FILE), server, details)
    progress(`PostgreSQL started in ${seconds(Date.now() - startedAt)} on 127.0.0.1:${port} (process ${server.pid}).`)
    return new LocalPostgres(server, details, temporary)
  } catch (error) {
    if (temporary) await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** The PostgreSQL that still runs on this data folder, started by this or another process; undefined when none does. */
export async function attachPostgres(dataDir: string): Promise<PostgresServer | undefined> {
  const found = await attachServer<PostgresDetails>(join(resolve(dataDir), STATE_FILE))
  return found && new LocalPostgres(found.server, found.details, false)
}

class LocalPostgres implements PostgresServer {
  readonly origin = 'process'
  readonly #server: ChildServer
  readonly #details: PostgresDetails
  readonly #temporary: boolean

  constructor(server: ChildServer, details: PostgresDetails, temporary: boolean) {
    this.#server = server
    this.#details = details
    this.#temporary = temporary
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
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

  createDatabase(name?: string): Promise<PostgresDatabase> {
    return createDatabase(this.url, name)
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#server.kill(signal)
  }

  async restart(): Promise<void> {
    await this.#server.restart()
    await writeServerState(join(this.dataDir, STATE_FILE), this.#server, this.#details)
  }

  async stop(options: { readonly removeData?: boolean } = {}): Promise<void> {
    await this.#server.stop()
    await removeServerState(join(this.dataDir, STATE_FILE))
    if (!this.#temporary && !options.removeData) return
    await rm(this.#details.cluster, { recursive: true, force: true })
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

function postgresCommand(
  binaries: string,
  details: PostgresDetails,
  user: SystemUser | undefined,
  options: StartPostgresOptions,
): ServerCommand {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    // The line that tells of readiness is looked for in English.
    lc_messages: 'C',
    ...(options.durable === false && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  return {
    name: 'PostgreSQL',
    command: join(binaries, 'postgres'),
    args: [
      ...['-D', details.cluster, '-p', String(details.port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ...(user && { user }),
    logFile: join(details.dataDir, 'postgres.log'),
    readyPattern: 'database system is ready to accept connections',
    // The helpers of a server that was killed notice it one by one; until the last has, no new server may have the files.
    againPattern: 'pre-existing shared memory block|lock file "postmaster.pid" already exists',
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    // Fast shutdown: open connections are cut. SIGTERM would wait until the last client leaves.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 20_000,
  }
}

/** Makes the files of an empty database cluster; files that are there are left as they are. */
async function initializeOnce(binaries: string, cluster: string, user: SystemUser | undefined): Promise<void> {
  if (await exists(join(cluster, 'PG_VERSION'))) return
  await mkdir(cluster, { recursive: true, mode: 0o700 })
  if (user) await chown(cluster, user.uid, user.gid)
  const args = ['-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  try {
    await run(join(binaries, 'initdb'), args, { ...user, cwd: '/' })
  } catch (cause) {
    await rm(cluster, { recursive: true, force: true })
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new LocalStackError('SERVER_FAILED', `initdb could not make the database files in ${cluster}: ${said}`, {
      cause,
    })
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
